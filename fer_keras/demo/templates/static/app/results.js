const REMEMBERED = 30; // frames that the time per frame is the median of
const QUIET = 900; // milliseconds without news before a result is read out
const NEWS = 0.1; // the change of a probability that is worth reading out; a camera never rests

/** The bars, the most probable class and the time per frame; a screen reader hears the result when it is steady. */
export class Results {
  #rows = [...document.querySelectorAll('#bars li')];
  #times = [];
  #announced = {name: '', share: 0};
  #timer = 0;

  /**
   * @param {Float32Array} probs in the order of the bars
   * @param {number} milliseconds cropping, resizing and model together
   */
  show(probs, milliseconds) {
    const best = probs.indexOf(Math.max(...probs));
    this.#rows.forEach((row, index) => {
      row.classList.toggle('best', index === best);
      row.querySelector('.fill').style.width = `${100 * probs[index]}%`;
      const share = row.querySelector('.share');
      share.value = probs[index];
      share.textContent = percent(probs[index]);
    });
    const name = this.#rows[best].dataset.class;
    document.getElementById('top-name').textContent = name;
    document.getElementById('top-share').textContent = percent(probs[best]);
    document.getElementById('time').textContent = `${this.#typical(milliseconds).toFixed(1)} ms`;
    this.#announce(name, probs[best]);
  }

  /** Forgets the times of another source. */
  restart() {
    this.#times = [];
    this.#announced = {name: '', share: 0};
  }

  #typical(milliseconds) {
    this.#times = [...this.#times, milliseconds].slice(-REMEMBERED);
    return this.#times.toSorted((a, b) => a - b)[this.#times.length >> 1];
  }

  #announce(name, share) {
    if (name === this.#announced.name && Math.abs(share - this.#announced.share) < NEWS) return;
    this.#announced = {name, share};
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const shown = ['top-name', 'top-share'].map((id) => document.getElementById(id).textContent);
      document.getElementById('announcement').textContent = shown.join(', ');
    }, QUIET);
  }
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
