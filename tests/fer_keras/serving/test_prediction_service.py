import asyncio

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="the extra serve is not installed")

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from fer_keras.serving.batched_model import BatchedModel, Batching
from fer_keras.serving.errors import RequestError, UnknownModelError
from fer_keras.serving.prediction_service import PredictionService


def call(served, method, request):
    """The answer of one method, without a network."""

    async def main():
        model = BatchedModel(served, Batching(max_batch=8))
        try:
            return await getattr(PredictionService(model), method)(request, None)
        finally:
            model.close()

    return asyncio.run(main())


def predict_request(batch, name="image", model="faces", **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for key, value in spec.items():
        setattr(request.model_spec, key, value)
    request.inputs[name].CopyFrom(tf.make_tensor_proto(batch))
    return request


def test_predict_answers_as_the_model(served, draw, png):
    images = draw(3)
    expected = served.run("serving_default", images)["probs"]
    answer = call(served, "Predict", predict_request(images))
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["probs"]), expected)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("faces", 1)
    files = np.array([png(image) for image in images], dtype=object)
    answer = call(served, "Predict", predict_request(files, "image_bytes", signature_name="serve_bytes"))
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["probs"]), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"name": "pixels"}, RequestError, r"wanted the input 'image', got \['pixels'\]"),
        ({"signature_name": "classify"}, RequestError, "no signature 'classify'"),
        ({"model": "other"}, UnknownModelError, "no model 'other'; this server has 'faces'"),
    ],
)
def test_bad_requests(served, draw, change, error, message):
    with pytest.raises(error, match=message):
        call(served, "Predict", predict_request(draw(1), **change))


def test_another_version_an_unknown_output_and_a_damaged_tensor(served, draw):
    request = predict_request(draw(1))
    request.model_spec.version.value = 3
    with pytest.raises(UnknownModelError, match="no version 3 of 'faces'; this server has 1"):
        call(served, "Predict", request)
    request = predict_request(draw(1))
    request.output_filter.append("logits")
    with pytest.raises(RequestError, match=r"no output \['logits'\]"):
        call(served, "Predict", request)
    request = predict_request(draw(1))
    request.inputs["image"].tensor_shape.dim[0].size = 5
    with pytest.raises(RequestError, match="input 'image'"):
        call(served, "Predict", request)


@pytest.mark.parametrize(
    ("name", "signature", "shape", "field", "value"),
    [
        ("image", "serving_default", [5_000_000, 24, 20, 3], "int_val", 0),
        ("image", "serving_default", [9, 24, 20, 3], "int_val", 0),
        ("image", "serving_default", [-1, 24, 20, 3], "int_val", 0),
        ("image", "serving_default", [2**62, 2**62], "int_val", 0),
        ("image_bytes", "serve_bytes", [2_000_000_000], "string_val", b"x"),
    ],
)
def test_a_message_that_claims_to_be_huge_is_not_unfolded(
    served, draw, monkeypatch, name, signature, shape, field, value
):
    request = predict_request(draw(1), name, signature_name=signature)
    tensor = tf.make_tensor_proto(value, dtype=tf.string if field == "string_val" else tf.uint8)
    del tensor.tensor_shape.dim[:]
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    request.inputs[name].CopyFrom(tensor)
    assert len(request.SerializeToString()) < 100
    monkeypatch.setattr(tf, "make_ndarray", lambda tensor: pytest.fail("unfolded"))
    with pytest.raises(RequestError, match=r"wanted 1 to 8 images .*, got the shape \("):
        call(served, "Predict", request)


def test_metadata_and_status(served):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "faces"
    answer = call(served, "GetModelMetadata", request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {"serving_default", "serve_bytes"}
    assert signatures.signature_def["serving_default"].inputs["image"].dtype == tf.uint8.as_datatype_enum
    request.metadata_field[0] = "size"
    with pytest.raises(RequestError, match="'metadata_field' must be 'signature_def'"):
        call(served, "GetModelMetadata", request)

    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "faces"
    (status,) = call(served, "GetModelStatus", request).model_version_status
    assert (status.version, status.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
