from fer_keras.inference.model_files import model_files


def test_all_files_of_a_folder_and_both_of_openvino(tmp_path):
    for name in ("1/saved_model.pb", "1/assets/labels.txt", "model.xml", "model.bin", "model.onnx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = {path: [file.name for file in model_files(tmp_path / path)] for path in ("1", "model.xml", "model.onnx")}
    assert names == {
        "1": ["labels.txt", "saved_model.pb"],
        "model.xml": ["model.bin", "model.xml"],
        "model.onnx": ["model.onnx"],
    }
