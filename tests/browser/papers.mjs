// The papers of made-up workers: passport lines, portraits, passport pages, letters.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { out } from './lib.mjs';

const weights = [7, 3, 1];
const value = (c) => (c === '<' ? 0 : /\d/.test(c) ? Number(c) : c.charCodeAt(0) - 55);
const digit = (text) => String([...text].reduce((sum, c, i) => sum + value(c) * weights[i % 3], 0) % 10);

export function mrz({ surname, given, number, nationality = 'VNM', birth, sex, expiry }) {
  const first = `P<${nationality}${`${surname}  ${given}`.replaceAll(' ', '<')}`.padEnd(44, '<');
  const no = number.padEnd(9, '<');
  const second = no + digit(no) + nationality + birth + digit(birth) + sex + expiry + digit(expiry) + '<'.repeat(14) + '0';
  return `${first}\n${second}${digit(second.slice(0, 10) + second.slice(13, 20) + second.slice(21))}`;
}

export const workers = {
  mai: { surname: 'NGUYEN', given: 'THI MAI HUONG', native: 'Nguyễn Thị Mai Hương', zh: '阮氏梅香', number: 'C4402217', birth: '990314', sex: 'F', expiry: '310811',
    portrait: 'style=long hair=1a1310 skin=e0ac69 clothes=2b3a67 seed=1' },
  budi: { surname: 'SANTOSO', given: 'BUDI', native: 'Budi Santoso', nationality: 'IDN', number: 'X7712034', birth: '920720', sex: 'M', expiry: '320405',
    portrait: 'style=short hair=0d0b0a skin=a5703f clothes=5b3a29 seed=2' },
  somchai: { surname: 'WONGSAWAT', given: 'SOMCHAI', native: 'สมชาย วงศ์สวัสดิ์', nationality: 'THA', number: 'AB556677', birth: '880101', sex: 'M', expiry: '300930',
    portrait: 'style=short hair=1a1310 skin=c68642 clothes=2f6b4f seed=3' },
  maria: { surname: 'DELA CRUZ', given: 'MARIA LUISA', native: 'Maria Luisa Dela Cruz', nationality: 'PHL', number: 'P8123456A', birth: '951203', sex: 'F', expiry: '340217',
    portrait: 'style=bun hair=2c1d14 skin=c68642 clothes=7a1f2b seed=4' },
  lan: { surname: 'TRAN', given: 'THI LAN', native: 'Trần Thị Lan', number: 'C9087711', birth: '010525', sex: 'F', expiry: '330620',
    portrait: 'style=bob hair=0d0b0a skin=f1c9a5 clothes=87b5d9 seed=5' },
  thu: { surname: 'LE', given: 'THI THU', native: 'Lê Thị Thu', number: 'C5550123', birth: '970818', sex: 'F', expiry: '310301',
    portrait: 'style=bob hair=2c1d14 skin=e0ac69 clothes=e8b4bc seed=5' },
  hieu: { surname: 'HOANG', given: 'VAN HIEU', native: 'Hoàng Văn Hiếu', number: 'C7778889', birth: '930402', sex: 'M', expiry: '300704',
    portrait: 'style=short hair=0d0b0a skin=d8a17a clothes=9a9a9a seed=7' },
  siti: { surname: 'RAHAYU', given: 'SITI', native: 'Siti Rahayu', nationality: 'IDN', number: 'X3334445', birth: '960930', sex: 'F', expiry: '330228',
    portrait: 'style=scarf hair=2f6b4f skin=c68642 clothes=2f6b4f seed=8' },
  dung: { surname: 'PHAM', given: 'VAN DUNG', native: 'Phạm Văn Dũng', number: 'C1230098', birth: '940908', sex: 'M', expiry: '320115',
    portrait: 'style=short hair=0d0b0a skin=d8a17a clothes=10121a seed=6' },
};

const dates = (yymmdd, century) => `${century}${yymmdd.slice(0, 2)}-${yymmdd.slice(2, 4)}-${yymmdd.slice(4)}`;
export const birth = (w) => dates(w.birth, Number(w.birth.slice(0, 2)) > 30 ? '19' : '20');
export const expiry = (w) => dates(w.expiry, '20');

export function day(from = 0) {
  return new Date(Date.now() + from * 86400000).toLocaleDateString('sv', { timeZone: 'Asia/Taipei' });
}

// What a passport's lines do not say.
export const answers = () => ({
  has_ui_no: 'no', arrived: 'yes', entry_date: day(-3), visa_no: 'V1234567', address: '桃園市桃園區縣府路106號',
  permit_letter: '勞動發事字第1130012345號', category: 'manufacturing', employer_ban: '04595257', contract_from: day(-2), contract_to: day(700),
  work_address: '桃園市龜山區文化一路1號',
});

// ---- pictures ----

// tests/photos/draw makes portraits; options as it takes them, the first of a name counts.
export function portrait(name, w, options = '') {
  const path = join(out, `${name}.jpg`);
  if (!existsSync(path))
    execFileSync(join(out, 'draw'), [`out=${path}`, ...`${options} ${w.portrait} wall=f6f6f4`.trim().split(' ')]);
  return path;
}
export const cardPhoto = (name) => portrait(`${name}-card`, workers[name], 'w=620 h=797');
export const phonePhoto = (name) => portrait(`${name}-phone`, workers[name], 'w=1500 h=2000 fit=1 q=88');
export const darkPhoto = (name) => portrait(`${name}-dark`, workers[name], 'w=620 h=797 wall=6a7078');

function passportPage(name) {
  const w = workers[name];
  const picture = readFileSync(cardPhoto(name)).toString('base64');
  const item = (x, y, label, text) => `<text x="${x}" y="${y}" font-size="19" fill="#566">${label}</text><text x="${x}" y="${y + 36}" font-size="28" font-weight="600">${text}</text>`;
  const lines = mrz(w).split('\n').map((l, i) => `<text x="50" y="${760 + 70 * i}" textLength="1150" font-family="DejaVu Sans Mono, monospace" font-size="43" fill="#111">${l.replaceAll('<', '&lt;')}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1250 880" width="1250" height="880"><rect width="1250" height="880" fill="#eef1e6"/>
<g fill="none" stroke="#c9d6c4" stroke-width="2">${[120, 220, 320, 420, 520].map((y) => `<path d="M0 ${y}q300 80 620 0t640 0"/>`).join('')}</g>
<g font-family="Noto Sans, sans-serif" fill="#233"><text x="60" y="80" font-size="34" font-weight="600">PASSPORT · SPECIMEN</text>
<image x="60" y="120" width="310" height="399" href="data:image/jpeg;base64,${picture}"/>
${item(420, 150, 'Name', `${w.surname} ${w.given}`)}${item(420, 240, 'Nationality', w.nationality ?? 'VNM')}${item(820, 240, 'Passport No', w.number)}
${item(420, 330, 'Date of birth', birth(w))}${item(820, 330, 'Sex', w.sex)}${item(420, 420, 'Date of expiry', expiry(w))}</g>
<rect y="680" width="1250" height="200" fill="#fbfbf7"/>${lines.join('')}</svg>`;
}

// Passport page (JPEG) and letter of the employer (PDF), printed by the browser itself.
export async function printPapers(browserPage, name) {
  const passport = join(out, `${name}-passport.jpg`), letter = join(out, `${name}-letter.pdf`);
  if (existsSync(letter)) return { passport, letter };
  const w = workers[name];
  await browserPage.setViewportSize({ width: 1250, height: 880 });
  await browserPage.setContent(`<style>body{margin:0}</style>${passportPage(name)}`);
  await browserPage.screenshot({ path: passport, type: 'jpeg', quality: 90 });
  await browserPage.setContent(`<html lang="zh-Hant"><body style="font:16pt/2 'Noto Sans CJK TC',sans-serif;padding:4em"><h1>在職證明</h1><p>茲證明 ${w.surname} ${w.given}（護照 ${w.number}）受僱於本公司，擔任作業員。</p><p>宏遠精密工業股份有限公司</p>`);
  writeFileSync(letter, await browserPage.pdf({ format: 'A4' }));
  return { passport, letter };
}
