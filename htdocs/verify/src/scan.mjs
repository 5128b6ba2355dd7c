// Square codes in pictures and in front of a camera.
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { unbase64 } from './bytes.mjs';

const PIXELS_MAX = 16e6, CAMERA_SIDE_MAX = 1280;
let ready;

async function unpack(base64) {
  const zipped = new Blob([unbase64(base64)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(zipped).arrayBuffer();
}

// The reader comes with the page, packed; nothing is fetched.
export function prepare() {
  ready ??= unpack(document.getElementById('reader').textContent.trim())
    .then((wasmBinary) => prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true }));
  return ready;
}

function pixels(source, from, to) {
  const canvas = new OffscreenCanvas(to.width, to.height), pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(source, from.x, from.y, from.width, from.height, 0, 0, to.width, to.height);
  return pen.getImageData(0, 0, to.width, to.height);
}

async function find(image) {
  await prepare();
  const codes = await readBarcodes(image, { formats: ['DataMatrix', 'QRCode'], maxNumberOfSymbols: 8 });
  return codes.filter((code) => code.isValid).map(({ format, bytes }) => ({ kind: format, bytes }));
}

const isSquare = (code) => code.kind === 'DataMatrix';
const isSeal = (code) => isSquare(code) && code.bytes[0] === 0xdc;

function best(codes) {
  return codes.find(isSeal) ?? codes.find(isSquare) ?? codes[0];
}

// The code of a picture that matters most: a seal, another DataMatrix, a QR code; undefined where there is none.
// A small picture is looked at once more at twice its size: modules of two pixels are lost otherwise.
export async function scanPicture(blob) {
  const picture = await createImageBitmap(blob);
  const { width, height } = picture, whole = { x: 0, y: 0, width, height };
  const found = [];
  for (const wanted of [1, 2]) {
    const scale = Math.min(wanted, Math.sqrt(PIXELS_MAX / (width * height)));
    found.push(...(await find(pixels(picture, whole, { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }))));
    if (found.some(isSeal)) break;
  }
  picture.close();
  return best(found);
}

async function open(video) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false, video: { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } },
  });
  video.srcObject = stream;
  await video.play();
  return stream;
}

const nextFrame = (video) => new Promise((go) => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(go) : requestAnimationFrame(go)));

// The middle of the frame, where people hold the code.
function middle(video) {
  const side = Math.min(video.videoWidth, video.videoHeight), small = Math.min(side, CAMERA_SIDE_MAX);
  return pixels(video, { x: (video.videoWidth - side) / 2, y: (video.videoHeight - side) / 2, width: side, height: side }, { width: small, height: small });
}

// Looks through the camera until a DataMatrix is there; `seen` is told of QR codes. Undefined where it was stopped.
export async function scanCamera(video, signal, seen) {
  const stream = await open(video);
  try {
    while (!signal.aborted) {
      await nextFrame(video);
      const code = video.videoWidth && best(await find(middle(video)));
      if (code && isSquare(code)) return signal.aborted ? undefined : code;
      if (code) seen(code);
    }
    return undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
