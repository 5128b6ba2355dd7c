// Photographs of a printed page that carries a seal and a QR code, as a phone would take them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { prepareZXingModule, writeBarcode } from 'zxing-wasm/writer';

const SIDE = 18, LEFT = 160, TOP = 30; // mm

export function square(program, bytes) {
  const pgm = execFileSync(program, [Buffer.from(bytes).toString('hex')]);
  const [, width, height] = /^P5\n(\d+) (\d+)\n255\n/.exec(pgm.toString('latin1')).map(Number);
  return { width, height, dots: [...pgm.subarray(pgm.length - width * height)] };
}

export async function qr(text) {
  const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('zxing-wasm/writer/zxing_writer.wasm'));
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  return (await writeBarcode(text, { format: 'QRCode', scale: 4 })).svg.replace(/<svg width="(\d+)" height="(\d+)"/, '<svg viewBox="0 0 $1 $2"');
}

// {width, near, rotate, tilt, blur, noise, dark, shade, quality}: what makes a photograph poor; JPEG bytes.
export async function photograph(context, seal, code, how) {
  const { width, near = false, rotate = 0, tilt = 0, blur = 0, noise = 6, dark = 1, shade = false, quality = 0.85 } = how;
  const height = Math.round((width * 4) / 3), mm = near ? (width * 0.5) / SIDE : (width * 0.9) / 210;
  const centre = near ? [LEFT + SIDE / 2, TOP + SIDE / 2] : [105, 148.5];
  const page = await context.newPage();
  await page.setViewportSize({ width, height });
  const lines = '<p>中華民國電子居留證 Electronic Residence Permit, Republic of China (Taiwan)</p>'.repeat(24);
  await page.setContent(`<style>body{margin:0;background:#8a7f70;overflow:hidden}
    #sheet{position:absolute;width:${210 * mm}px;height:${297 * mm}px;left:50%;top:50%;background:#fff;font:${4 * mm}px sans-serif;
      margin:${-centre[1] * mm}px 0 0 ${-centre[0] * mm}px;transform-origin:${centre[0] * mm}px ${centre[1] * mm}px;
      transform:perspective(${width * 2.2}px) rotateX(${tilt}deg) rotateY(${tilt * 0.6}deg) rotateZ(${rotate}deg);filter:blur(${blur}px)}
    #text{position:absolute;left:${15 * mm}px;top:${70 * mm}px;width:${180 * mm}px}
    #seal,#code{position:absolute;top:${TOP * mm}px;width:${SIDE * mm}px;height:${SIDE * mm}px}
    #seal{left:${LEFT * mm}px}#code{left:${(LEFT - 30) * mm}px}#code svg{width:100%;height:100%}
    #light{position:absolute;inset:0;mix-blend-mode:multiply;background:${shade ? 'linear-gradient(130deg,#fffaf0,#5a5046)' : 'none'}}</style>
    <div id=sheet><div id=text>${lines}</div><canvas id=seal></canvas><div id=code>${code}</div></div><div id=light></div>`);
  await page.evaluate(({ width: w, height: h, dots }) => {
    const canvas = document.getElementById('seal'), side = 12, pen = canvas.getContext('2d');
    canvas.width = w * side;
    canvas.height = h * side;
    dots.forEach((dot, i) => {
      pen.fillStyle = dot ? '#fafafa' : '#1c1c1c';
      pen.fillRect((i % w) * side, Math.floor(i / w) * side, side, side);
    });
  }, seal);
  const png = (await page.screenshot()).toString('base64');
  const jpeg = await page.evaluate(async ([picture, n, d, q]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    [canvas.width, canvas.height] = [image.width, image.height];
    pen.drawImage(image, 0, 0);
    const all = pen.getImageData(0, 0, canvas.width, canvas.height);
    let seed = 12345;
    const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff - 0.5;
    for (let i = 0; i < all.data.length; i += 4) {
      const grain = (random() + random() + random()) * n;
      for (let k = i; k < i + 3; k++) all.data[k] = all.data[k] * d + grain;
    }
    pen.putImageData(all, 0, 0);
    return canvas.toDataURL('image/jpeg', q).split(',')[1];
  }, [png, noise, dark, quality]);
  await page.close();
  return Buffer.from(jpeg, 'base64');
}
