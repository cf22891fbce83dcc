const REASONS = {
  NotAllowedError: 'the browser or you did not allow it',
  NotFoundError: 'there is none',
  NotReadableError: 'another program is using it',
};

/** The device's camera, played into a video element. */
export class Camera {
  #video;
  #stream = null;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} lost called when the device ends the stream
   */
  constructor(video, lost) {
    this.#video = video;
    this.lost = lost;
  }

  get on() {
    return this.#stream !== null;
  }

  /** @throws {Error} with a message for the user */
  async start() {
    if (!navigator.mediaDevices) {
      throw new Error('Browsers give the camera only to pages served by https or from this machine.');
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'user'}, audio: false});
    } catch (error) {
      throw new Error(`No camera: ${REASONS[error.name] ?? error.message}.`);
    }
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener('ended', () => this.lost());
    this.#video.srcObject = stream;
    await this.#video.play();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
  }
}
