// Visits demo pages as people do, and prints what it found as JSON. One argument, JSON: `chromium`, the program;
// `pages`, their addresses, the first of which is visited at length; `picture`, a file; `screenshots`, a folder or null.
import path from 'node:path';
import {chromium} from 'playwright-core';

const {chromium: executablePath, pages: [url, ...others], picture, screenshots} = JSON.parse(process.argv[2]);
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
];
// Generous: on a busy machine the first start of a browser and the compilation of the runtime take a while.
const browser = await chromium.launch({executablePath, args: FLAGS, timeout: 180000});
const found = {requests: [], complaints: [], others: []};

async function visit(options, address = url) {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(120000);
  page.on('request', (request) => found.requests.push(request.url()));
  page.on('pageerror', (error) => found.complaints.push(String(error)));
  page.on('console', (message) => {
    // The runtime writes its ordinary notes to the error channel, with their level in front.
    if (message.type() === 'error' && !/^(INFO|WARNING):/.test(message.text())) found.complaints.push(message.text());
  });
  await page.goto(address);
  await page.locator('#choose:enabled').waitFor();
  return page;
}

/** What the page shows, once it has nothing left to do. */
async function read(page) {
  await page.waitForTimeout(200);
  return page.evaluate(() => ({
    probs: Object.fromEntries([...document.querySelectorAll('#bars li')].map(
      (row) => [row.dataset.class, Number(row.querySelector('data').value)])),
    crop: document.getElementById('crop').textContent.match(/\d+/g)?.map(Number),
    top: document.getElementById('top-name').textContent,
    time: document.getElementById('time').textContent,
    status: document.getElementById('status').textContent,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
}

/** The lowest contrast between a text and what is behind it. */
function lowestContrast(page) {
  return page.evaluate(() => {
    const numbers = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (color) => numbers(color).slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (node) => {
      const color = getComputedStyle(node).backgroundColor;
      return numbers(color)[3] === 0 && node.parentElement ? behind(node.parentElement) : color;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let lowest = 21;
    while (texts.nextNode()) {
      const node = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || !node.checkVisibility()) continue;
      const pair = [getComputedStyle(node).color, behind(node)].map(luminance).sort((a, b) => b - a);
      lowest = Math.min(lowest, (pair[0] + 0.05) / (pair[1] + 0.05));
    }
    return lowest;
  });
}

const shoot = (page, name) => screenshots && page.screenshot({path: path.join(screenshots, name), fullPage: true});

async function desktop() {
  const page = await visit({viewport: {width: 1180, height: 860}, colorScheme: 'light'});
  found.before = await read(page);
  await page.locator('#file').setInputFiles(picture);
  await page.locator('#seen').waitFor();
  found.whole = await read(page);
  await page.locator('#size').fill(String(found.whole.crop[1] / 2));
  const {x, y, width, height} = await page.locator('#frame').boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y, {steps: 4});
  await page.mouse.up();
  found.dragged = await read(page);
  await shoot(page, 'desktop.png');
  found.contrast = {light: await lowestContrast(page)};
  await page.emulateMedia({colorScheme: 'dark'});
  found.contrast.dark = await lowestContrast(page);
  await shoot(page, 'desktop_dark.png');

  await page.locator('#file').setInputFiles({name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('no picture')});
  await page.locator('#status.failed').waitFor();
  found.unreadable = await read(page);

  await page.locator('#camera').click();
  await page.locator('#frame.fixed').waitFor();
  const live = () => page.evaluate(() => document.getElementById('video').srcObject?.active ?? false);
  found.camera = {...await read(page), live: await live()};
  await page.locator('#camera').click();
  found.camera.stopped = !await live();

  found.blocked = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    fetch('http://elsewhere.invalid/').catch(() => {});
  }));
  await page.context().close();
}

async function phone() {
  const page = await visit({viewport: {width: 360, height: 740}, hasTouch: true, isMobile: true, deviceScaleFactor: 2});
  const focused = () => page.evaluate(() => {
    const node = document.activeElement;
    const outlined = getComputedStyle(node).outlineStyle !== 'none';
    return {id: node.id, outlined};
  });
  const order = [];
  const tabTo = async (id) => {
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
      if (order.at(-1).id === id) return;
    }
    throw new Error(`Tab never reaches ${id}: ${order.map((stop) => stop.id)}`);
  };
  await tabTo('choose');
  // What the page has to do is to open the file input while the browser still counts a key press as the visitor's wish.
  // The dialog itself is the browser's, and does not always come up without a screen: it is kept from opening.
  page.on('filechooser', () => {});
  const opened = page.evaluate(() => new Promise((resolve) => {
    document.getElementById('file').addEventListener('click', () => resolve(navigator.userActivation.isActive));
    document.documentElement.dataset.listening = '';
  }));
  await page.locator('html[data-listening]').waitFor();
  await page.keyboard.press('Enter');
  found.opened = await opened;
  await page.locator('#file').setInputFiles(picture);
  await page.locator('#seen').waitFor();
  await tabTo('frame');
  const moves = ['ArrowDown', 'ArrowLeft', 'ArrowRight', ...Array(3).fill('Shift+ArrowUp')];
  for (const key of [...Array(8).fill('-'), ...moves, '+', 'ArrowUp']) {
    await page.keyboard.press(key);
  }
  found.keyboard = {...await read(page), order};
  await tabTo('larger');
  await page.waitForTimeout(1000);
  found.keyboard.announced = await page.locator('#announcement').textContent();
  await shoot(page, 'phone.png');

  const {x, y, width, height} = await page.locator('#frame').boundingBox();
  const touches = await page.context().newCDPSession(page);
  const touch = (type, ...points) => touches.send('Input.dispatchTouchEvent', {type, touchPoints: points});
  await touch('touchStart', {x: x + width / 2, y: y + height / 2});
  await touch('touchMove', {x: x + width / 2 + 12, y: y + height / 2 + 24});
  await touch('touchEnd');
  found.touched = await read(page);
}

/** The bars of another page, for the whole picture. */
async function glance(address) {
  const page = await visit({}, address);
  await page.locator('#file').setInputFiles(picture);
  await page.locator('#seen').waitFor();
  found.others.push(await read(page));
  await page.context().close();
}

try {
  await desktop();
  await phone();
  for (const address of others) await glance(address);
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
