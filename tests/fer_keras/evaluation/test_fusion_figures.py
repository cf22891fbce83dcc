import numpy as np

from fer_keras.emotions import EMOTIONS
from fer_keras.evaluation.fusion_figures import adaptive_fusion, class_distributions

C = len(EMOTIONS)


def test_heat_map_shows_every_value():
    table = np.full((C, C), 0.05) + 0.6 * np.eye(C)
    axes = class_distributions(table, EMOTIONS).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), table)
    assert [text.get_text() for text in axes.texts].count("0.65") == C
    assert [label.get_text() for label in axes.get_yticklabels()] == list(EMOTIONS)


def test_fusion_shows_each_image_above_its_distributions():
    rng = np.random.default_rng(0)
    fusion = {
        name: rng.dirichlet(np.ones(C), 3) for name in ("label_distribution", "class_distribution", "target", "probs")
    }
    fusion["weight"] = np.array([0.2, 0.5, 1.0])
    figure = adaptive_fusion(rng.integers(0, 256, (3, 8, 8, 3), np.uint8), np.array([0, 1, 2]), fusion, EMOTIONS)
    panels = np.array(figure.axes).reshape(5, 3)
    assert panels[0, 1].get_title() == f"{EMOTIONS[1]}\nw = 0.50"
    for row, name in enumerate(("label_distribution", "class_distribution", "target", "probs"), start=1):
        for column in range(3):
            widths = [bar.get_width() for bar in panels[row, column].patches]
            np.testing.assert_allclose(widths, fusion[name][column])
