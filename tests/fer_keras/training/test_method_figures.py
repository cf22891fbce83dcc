import base64

import numpy as np

from fer_keras.training import method_figures, train


def test_ada_df_shows_what_it_learned(make_config, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        method_figures,
        "adaptive_fusion",
        lambda images, labels, fusion, names: (
            drawn.update(images=images, labels=labels, **fusion) or real(images, labels, fusion, names)
        ),
    )
    options = {"method": {"name": "ada_df"}, "data": {"neighbors": None}, "schedule": {"epochs": 1}}
    run = train(make_config(**options))
    html = (run / "report.html").read_text()
    for name in ("class_distributions.png", "adaptive_fusion.png"):
        assert base64.b64encode((run / name).read_bytes()).decode() in html
    assert drawn["images"].shape == (6, 24, 24, 3)
    assert np.all(np.diff(drawn["weight"]) >= 0)  # from the least attended to the most
    np.testing.assert_allclose(drawn["weight"][[0, -1]], [0.2, 1.0], atol=1e-5)


real = method_figures.adaptive_fusion
