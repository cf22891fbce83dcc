const KEYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const STEPS = 50; // arrow keys cross the picture in so many steps
const GROWTH = 1.1;
const GUIDE = 0.75; // of the shorter side: the fixed square before the camera
const SMALLEST = 16; // pixels

/** The square over the picture that says which part the model sees, in the picture's own pixels. */
export class CropFrame {
  #frame;
  #slider;
  #changed;
  #width = 0;
  #height = 0;
  #box = {x: 0, y: 0, side: 0};

  /**
   * @param {{frame: HTMLElement, slider: HTMLInputElement, smaller: HTMLElement, larger: HTMLElement}} elements
   * @param {() => void} changed called when the user has moved or resized the frame
   */
  constructor({frame, slider, smaller, larger}, changed) {
    this.#frame = frame;
    this.#slider = slider;
    this.#changed = changed;
    slider.addEventListener('input', () => this.#resize(Number(slider.value)));
    smaller.addEventListener('click', () => this.#resize(this.#box.side / GROWTH));
    larger.addEventListener('click', () => this.#resize(this.#box.side * GROWTH));
    frame.addEventListener('keydown', (event) => this.#press(event));
    frame.addEventListener('pointerdown', (event) => this.#drag(event));
  }

  /** `{x, y, side}`, whole pixels. */
  get box() {
    return {...this.#box};
  }

  /** Puts the frame over a new photo: the largest square, in the middle. */
  cover(width, height) {
    this.#open(width, height, Math.min(width, height), false);
  }

  /** Puts the frame before the camera, where it stays. */
  fix(width, height) {
    this.#open(width, height, Math.round(Math.min(width, height) * GUIDE), true);
  }

  hide() {
    this.#frame.hidden = true;
  }

  #open(width, height, side, fixed) {
    [this.#width, this.#height] = [width, height];
    this.#slider.min = Math.min(SMALLEST, width, height);
    this.#slider.max = Math.min(width, height);
    this.#frame.hidden = false;
    this.#frame.tabIndex = fixed ? -1 : 0;
    this.#frame.classList.toggle('fixed', fixed);
    this.#place((width - side) / 2, (height - side) / 2, side);
  }

  #place(x, y, side) {
    side = clamp(Math.round(side), Number(this.#slider.min), Number(this.#slider.max));
    x = clamp(Math.round(x), 0, this.#width - side);
    y = clamp(Math.round(y), 0, this.#height - side);
    this.#box = {x, y, side};
    this.#slider.value = side;
    this.#slider.setAttribute('aria-valuetext', `${side} pixels`);
    Object.assign(this.#frame.style, {
      left: `${100 * x / this.#width}%`,
      top: `${100 * y / this.#height}%`,
      width: `${100 * side / this.#width}%`,
      height: `${100 * side / this.#height}%`,
    });
  }

  #move(x, y) {
    this.#place(x, y, this.#box.side);
    this.#changed();
  }

  /** Resizes around the middle of the frame. */
  #resize(side) {
    // a small frame must grow and shrink too, where a tenth is less than a pixel
    const whole = side > this.#box.side ? Math.ceil(side) : Math.floor(side);
    const {x, y, side: before} = this.#box;
    this.#place(x + (before - whole) / 2, y + (before - whole) / 2, whole);
    this.#changed();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const {x, y, side} = this.#box;
    if (event.key in KEYS) {
      const [right, down] = KEYS[event.key];
      const step = Math.max(1, Math.min(this.#width, this.#height) / STEPS) * (event.shiftKey ? 5 : 1);
      this.#move(x + right * step, y + down * step);
    } else if (event.key === '+' || event.key === '=') {
      this.#resize(side * GROWTH);
    } else if (event.key === '-') {
      this.#resize(side / GROWTH);
    } else {
      return;
    }
    event.preventDefault();
  }

  #drag(down) {
    const {x, y} = this.#box;
    const scale = this.#width / this.#frame.parentElement.clientWidth;
    const follow = (event) =>
      this.#move(x + (event.clientX - down.clientX) * scale, y + (event.clientY - down.clientY) * scale);
    this.#frame.setPointerCapture(down.pointerId);
    this.#frame.addEventListener('pointermove', follow);
    this.#frame.addEventListener(
      'lostpointercapture', () => this.#frame.removeEventListener('pointermove', follow), {once: true});
  }
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
