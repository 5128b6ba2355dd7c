// Crops a photo to 35 × 45, by pointer or by keys.
import Cropper from './cropper.js';

const dialog = document.getElementById('crop');
const stage = dialog.querySelector('[data-crop-stage]');
const template = `<cropper-canvas background><cropper-image rotatable scalable translatable></cropper-image>
<cropper-shade hidden></cropper-shade><cropper-handle action="move" plain></cropper-handle>
<cropper-selection initial-coverage="0.9" aspect-ratio="${35 / 45}" movable resizable keyboard zoomable>
<cropper-grid role="grid" rows="3" columns="3" bordered covered></cropper-grid>
<cropper-handle action="move" theme-color="rgba(255,255,255,0.15)"></cropper-handle>
<cropper-handle action="ne-resize"></cropper-handle><cropper-handle action="nw-resize"></cropper-handle>
<cropper-handle action="se-resize"></cropper-handle><cropper-handle action="sw-resize"></cropper-handle>
</cropper-selection></cropper-canvas>`;
const most = 1240; // pixels wide: more is of no use on a permit

// The largest frame that the picture has room for.
function frame(cropper) {
  cropper.getCropperImage().$center('contain');
  const canvas = cropper.getCropperCanvas().getBoundingClientRect();
  const picture = cropper.getCropperImage().getBoundingClientRect();
  const width = 0.98 * Math.min(picture.width, (picture.height * 35) / 45);
  const height = (width * 45) / 35;
  cropper.getCropperSelection().$change(picture.left - canvas.left + (picture.width - width) / 2,
    picture.top - canvas.top + (picture.height - height) / 2, width, height);
}

// The part that was chosen, in the picture's own pixels: enlarging it would help nobody.
async function cut(cropper) {
  const selection = cropper.getCropperSelection();
  const [a, b] = cropper.getCropperImage().$getTransform();
  const width = Math.min(most, Math.round(selection.width / Math.hypot(a, b)));
  const canvas = await selection.$toCanvas({
    width, height: Math.round((width * 45) / 35),
    beforeDraw: (context, { width: w, height: h }) => {
      context.fillStyle = '#fff';
      context.fillRect(0, 0, w, h);
    },
  });
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.93));
}

// The cropped picture, the file itself where it shall go whole, or null.
export function crop(file) {
  const image = new Image();
  const url = URL.createObjectURL(file);
  const acts = new AbortController();

  return new Promise((resolve) => {
    const end = (result) => {
      acts.abort();
      dialog.close();
      stage.replaceChildren();
      URL.revokeObjectURL(url);
      resolve(result);
    };
    image.onerror = () => end(file);
    image.onload = () => {
      dialog.showModal();
      stage.append(image);
      const cropper = new Cropper(image, { container: stage, template });
      const picture = cropper.getCropperImage();
      const act = {
        in: () => picture.$zoom(0.1),
        out: () => picture.$zoom(-0.1),
        turn: () => picture.$rotate('90deg'),
        use: async () => end(await cut(cropper)),
        whole: () => end(file),
        cancel: () => end(null),
      };
      image.hidden = true;
      picture.$ready(() => frame(cropper));
      for (const button of dialog.querySelectorAll('[data-crop-act]'))
        button.addEventListener('click', () => act[button.dataset.cropAct](), { signal: acts.signal });
      dialog.addEventListener('cancel', () => end(null), { signal: acts.signal });
      dialog.querySelector('[data-crop-act="use"]').focus();
    };
    image.src = url;
  });
}
