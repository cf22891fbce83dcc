/**
 * Resizes as training does: bilinear with antialiasing (a triangle as wide as the reduction), rounded to whole values.
 * The canvas's own resizing differs from browser to browser, and would make other probabilities of the same picture.
 *
 * @param {Uint8ClampedArray} rgba pixels, `width` x `height` x 4
 * @returns {Uint8ClampedArray} `outHeight` x `outWidth` x 3, RGB
 */
export function resizeToRgb(rgba, width, height, outWidth, outHeight) {
  const columns = spans(width, outWidth);
  const rows = spans(height, outHeight);
  const narrow = new Float32Array(height * outWidth * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (const {start, weights} of columns) {
      let red = 0, green = 0, blue = 0;
      let from = (y * width + start) * 4;
      for (const weight of weights) {
        red += weight * rgba[from];
        green += weight * rgba[from + 1];
        blue += weight * rgba[from + 2];
        from += 4;
      }
      narrow[to++] = red;
      narrow[to++] = green;
      narrow[to++] = blue;
    }
  }
  const rowLength = outWidth * 3;
  // This type of array rounds as training does: to the nearest, halves to the even number.
  const rgb = new Uint8ClampedArray(outHeight * rowLength);
  rows.forEach(({start, weights}, y) => {
    for (let x = 0; x < rowLength; x++) {
      let sum = 0;
      weights.forEach((weight, index) => { sum += weight * narrow[(start + index) * rowLength + x]; });
      rgb[y * rowLength + x] = sum;
    }
  });
  return rgb;
}

/** For every output position: the first input position that counts, and the weights from there on (they sum to 1). */
function spans(size, outSize) {
  const step = size / outSize;
  const radius = Math.max(step, 1);
  return Array.from({length: outSize}, (_, position) => {
    const center = (position + 0.5) * step;
    const start = Math.max(Math.ceil(center - radius - 0.5), 0);
    const end = Math.min(Math.floor(center + radius - 0.5), size - 1);
    const raw = Array.from(
      {length: end - start + 1}, (_, index) => Math.max(1 - Math.abs(start + index + 0.5 - center) / radius, 0));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return {start, weights: raw.map((weight) => weight / sum)};
  });
}
