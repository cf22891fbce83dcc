import {loadAndCompile, loadLiteRt, Tensor} from '@litertjs/core';

const SIGNATURE = 'serving_default';

/** The model, run on the processor by LiteRT. */
export class Classifier {
  #model;
  #shape;

  constructor(model, height, width) {
    this.#model = model;
    this.#shape = [1, height, width, 3];
  }

  /** Fetches runtime and model from the page's folder; the first classification is done here, for it is slower. */
  static async load(height, width) {
    await loadLiteRt('./litert/core/wasm/');
    const response = await fetch('model.tflite');
    if (!response.ok) {
      throw new Error(`model.tflite: ${response.status} ${response.statusText}`);
    }
    const content = new Uint8Array(await response.arrayBuffer());
    const classifier = new Classifier(await loadAndCompile(content, {accelerator: 'wasm'}), height, width);
    await classifier.classify(new Uint8Array(height * width * 3));
    return classifier;
  }

  /**
   * @param {Uint8Array} rgb height x width x 3, pixels 0..255; the scaling is part of the model
   * @returns {Promise<Float32Array>} a probability for each class
   */
  async classify(rgb) {
    const image = new Tensor(rgb, this.#shape);
    let outputs = {};
    try {
      outputs = await this.#model.run(SIGNATURE, {image});
      return await outputs.probs.data();
    } finally {
      // The runtime's memory is not collected.
      [image, ...Object.values(outputs)].forEach((tensor) => tensor.delete());
    }
  }
}
