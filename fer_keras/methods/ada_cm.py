"""Ada-CM: every class has its own confidence margin, and images below it are compared with themselves.

Li et al., "Towards Semi-Supervised Deep Facial Expression Recognition with an Adaptive Confidence Margin", CVPR 2022.
"""

import keras

from fer_keras.methods.semi_supervised import SemiSupervised


@keras.saving.register_keras_serializable(package="fer_keras")
class AdaCM(SemiSupervised):
    """``L = 0.5 L_x + mean(m CE(argmax p, strong)) + 0.1 NT-Xent(weak views with m = 0)``, m = 1[max p >= tau_c].

    p is the mean prediction of two weak views; tau_c = max(0.8, 0.97 r_c / (1 + exp(-epoch))), r_c how sure the network
    is on average of the labelled images of class c that it gets right. These are the defaults of
    `fer_keras.methods.semi_supervised.SemiSupervised`, which has the options.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = AdaCM(build_backbone("fer_mini", (48, 48)), EMOTIONS)
        >>> model.compile("adam")
    """
