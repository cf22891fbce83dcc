import {Camera} from './camera.js';
import {Classifier} from './classifier.js';
import {CropFrame} from './crop_frame.js';
import {resizeToRgb} from './resize.js';
import {Results} from './results.js';

const LARGEST = 2048; // pixels; a photo with a longer side is reduced to it

const element = (id) => document.getElementById(id);
const [height, width] = ['height', 'width'].map((side) => Number(element('demo').dataset[side]));
const stage = element('stage');
const photo = element('photo');
const video = element('video');
const scratch = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const results = new Results();
const camera = new Camera(video, () => stopCamera());
const frame = new CropFrame(
  {frame: element('frame'), slider: element('size'), smaller: element('smaller'), larger: element('larger')},
  () => look());

let classifier = null;
let looking = false;
let again = false;

function say(text, failed = false) {
  element('status').textContent = text;
  element('status').classList.toggle('failed', failed);
}

/** Classifies what is in the frame; asked while it is at work, it does so once more, with what is there by then. */
async function look() {
  again = true;
  if (looking) return;
  looking = true;
  try {
    while (again) {
      again = false;
      await classifyFrame();
    }
  } catch (error) {
    say(`The model failed: ${error.message}`, true);
  } finally {
    looking = false;
  }
}

async function classifyFrame() {
  const started = performance.now();
  const {x, y, side} = frame.box;
  scratch.canvas.width = scratch.canvas.height = side;
  scratch.drawImage(camera.on ? video : photo, x, y, side, side, 0, 0, side, side);
  const rgb = resizeToRgb(scratch.getImageData(0, 0, side, side).data, side, side, width, height);
  const probs = await classifier.classify(new Uint8Array(rgb.buffer));
  results.show(probs, performance.now() - started);
  showSeen(rgb);
  element('crop').textContent = `${side} × ${side} px at ${x}, ${y}`;
}

function showSeen(rgb) {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    image.data.set([rgb[from], rgb[from + 1], rgb[from + 2], 255], to);
  }
  element('seen').hidden = false;
  element('seen').getContext('2d').putImageData(image, 0, 0);
}

function showSource(source) {
  stage.classList.toggle('empty', source === null);
  photo.hidden = source !== photo;
  video.hidden = source !== video;
  element('sizing').hidden = element('help').hidden = source !== photo;
  element('hold').hidden = source !== video;
  if (source === null) frame.hide();
  results.restart();
}

async function openPhoto(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    say(`${file.name}: not a picture that this browser can read.`, true);
    return;
  }
  stopCamera();
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  photo.width = Math.max(1, Math.round(bitmap.width * scale));
  photo.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = photo.getContext('2d', {willReadFrequently: true});
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, photo.width, photo.height);
  bitmap.close();
  showSource(photo);
  stage.style.setProperty('--ratio', photo.width / photo.height);
  frame.cover(photo.width, photo.height);
  say(file.name);
  await look();
}

async function startCamera() {
  element('camera').disabled = true;
  try {
    await camera.start();
  } catch (error) {
    say(error.message, true);
    return;
  } finally {
    element('camera').disabled = false;
  }
  element('camera').textContent = 'Stop the camera';
  showSource(video);
  fitVideo();
  say('Camera');
  watch();
}

/** Also when a phone is turned: the picture changes its sides. */
function fitVideo() {
  stage.style.setProperty('--ratio', video.videoWidth / video.videoHeight);
  frame.fix(video.videoWidth, video.videoHeight);
}

function stopCamera() {
  if (!camera.on) return;
  camera.stop();
  element('camera').textContent = 'Use the camera';
  showSource(null);
  say('Camera stopped.');
}

/** One classification per picture on the screen, as long as the camera is on; none while the page is hidden. */
async function watch() {
  while (camera.on) {
    await new Promise(requestAnimationFrame);
    if (camera.on) await look();
  }
}

function listen() {
  element('choose').addEventListener('click', () => element('file').click());
  element('file').addEventListener('change', async ({target}) => {
    if (target.files.length) await openPhoto(target.files[0]);
    target.value = ''; // the same file may be chosen again
  });
  element('camera').addEventListener('click', () => (camera.on ? stopCamera() : startCamera()));
  video.addEventListener('resize', () => camera.on && fitVideo());
  for (const kind of ['dragover', 'dragleave', 'drop']) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      stage.classList.toggle('dragged', kind === 'dragover');
      if (kind === 'drop' && event.dataTransfer.files.length) openPhoto(event.dataTransfer.files[0]);
    });
  }
}

async function start() {
  say('Loading the model …');
  try {
    classifier = await Classifier.load(height, width);
  } catch (error) {
    say(`The model could not be loaded: ${error.message ?? 'a file of the page is missing'}`, true);
    return;
  }
  listen();
  element('choose').disabled = element('camera').disabled = false;
  say('Ready.');
}

start();
