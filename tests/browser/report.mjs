// The HTML report in Chromium: what a reader sees, clicks and hears read out.
//
// Each check is a sentence; prints what fails, then "N passed, N failed".
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = process.env.PAGES;
const names = ['samples', 'faulty', 'healthy', 'hostile', 'empty', 'many', 'sites'];
const address = (name) => `file://${folder}/${name}.html`;
let passed = 0, failed = 0;

function check(sentence, isTrue, detail) {
  if (isTrue) { passed++; return; }
  failed++;
  console.log(`FAILED: ${sentence}${detail === undefined ? '' : `: ${JSON.stringify(detail)}`}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});

async function open(name, options = {}, after = '') {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.requests = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.problems.push(message.text());
  });
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('dialog', (dialog) => { page.problems.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => page.requests.push(request.url()));
  await page.goto(address(name) + after);
  return page;
}

async function done(page) { await page.context().close(); }

// ---- quiet, complete in itself, at every width; pictures

function badPictures() {
  const bad = [];
  for (const svg of document.querySelectorAll('svg')) {
    if (svg.getAttribute('aria-hidden') === 'true') continue;
    const name = svg.querySelector('title')?.textContent ?? '';
    const words = svg.querySelector('desc')?.textContent ?? '';
    const { width, height } = svg.getBoundingClientRect();
    const [, , boxWidth, boxHeight] = svg.getAttribute('viewBox').split(' ').map(Number);
    if (svg.getAttribute('role') !== 'img' || name.length < 5 || words.length < 5) bad.push([name, 'no text alternative']);
    if (width < 100 || height < 20) bad.push([name, 'no size', width, height]);
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBBox();
      if (text.getAttribute('transform')) continue;
      if (box.x < -1 || box.x + box.width > boxWidth + 1 || box.y < -1 || box.y + box.height > boxHeight + 1)
        bad.push([name, 'text leaves the picture', text.textContent, box.x, box.x + box.width]);
    }
  }
  return bad;
}

for (const name of names) {
  const page = await open(name);
  check(`${name}: nothing on the console`, page.problems.length === 0, page.problems);
  check(`${name}: no request leaves the file`, page.requests.every((url) => url === address(name)), page.requests);
  check(`${name}: one heading of the first rank, and it is the verdict`,
    await page.locator('h1').count() === 1 && await page.locator('#verdict h1').isVisible());
  const ranks = await page.evaluate(() => [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1]));
  check(`${name}: no rank of headings is left out`, ranks.every((rank, i) => !i || rank <= ranks[i - 1] + 1), ranks);
  const bad = await page.evaluate(badPictures);
  check(`${name}: each picture has a size and words, and holds its text`, bad.length === 0, bad);
  for (const width of [1440, 768, 360]) {
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(`${name}: nothing hangs over at ${width} pixels`, wide <= 0, wide);
  }
  await done(page);
}
{
  const page = await open('samples');
  const kinds = await page.evaluate(() => ['path', 'ladder', 'matrix', 'timeline', 'histogram']
    .filter((kind) => !document.querySelector(`svg.${kind}[role=img]`)));
  check('samples: every kind of picture is there', kinds.length === 0, kinds);
  check('samples: a failing session stands beside a working one', await page.locator('.ladders .pair').first().locator('svg').count() === 2);
  await done(page);
}

// ---- both colours, paper

for (const name of ['samples', 'healthy']) {
  const dark = await open(name, { colorScheme: 'dark' });
  const shade = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  check(`${name}: dark paper where the reader wants it`, Math.max(...shade) < 60, shade);
  await done(dark);
  const paper = await open(name, { colorScheme: 'dark' });
  await paper.emulateMedia({ media: 'print' });
  const print = await paper.evaluate(() => ({
    nav: getComputedStyle(document.querySelector('nav')).display,
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
  }));
  check(`${name}: printed black on white, without navigation`,
    print.nav === 'none' && print.background === 'rgb(255, 255, 255)' && print.ink === 'rgb(0, 0, 0)', print);
  for (const format of ['A4', 'Letter']) {
    const pdf = await paper.pdf({ format });
    const pages = (pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length;
    check(`${name}: prints on ${format}`, pages >= 1 && pages < 60, pages);
  }
  await done(paper);
}

// ---- without a script

for (const name of ['samples', 'many']) {
  const page = await open(name, { javaScriptEnabled: false });
  for (const id of ['verdict', 'change', 'path', 'sure', 'requirements', 'ports', 'findings', 'devices', 'sessions', 'provenance', 'glossary'])
    check(`${name}: ${id} is there without a script`, await page.locator(`#${id}`).count() === 1);
  check(`${name}: rows are there without a script`, await page.locator('#session-table tbody tr').count() > 10);
  await page.locator('details.finding > summary').nth(1).click();
  check(`${name}: findings unfold without a script`, await page.locator('details.finding').nth(1).getAttribute('open') !== null);
  await done(page);
}

// ---- with it: sorting, filtering, folding, links

const numbers = (page, table, column) => page.locator(`#${table} tbody tr:not([hidden]) > :nth-child(${column})`)
  .evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.key ?? cell.textContent.replace(/,/g, ''))));
const isOrdered = (list, sign) => list.every((value, i) => !i || sign * (value - list[i - 1]) >= 0);
{
  const page = await open('samples');
  const head = page.locator('#device-table thead th', { hasText: 'Sessions' });
  const column = 1 + await head.evaluate((th) => th.cellIndex);
  await head.locator('button').focus();
  await page.keyboard.press('Enter');
  check('a column sorts upwards by the keyboard', isOrdered(await numbers(page, 'device-table', column), 1)
    && await head.getAttribute('aria-sort') === 'ascending');
  await head.locator('button').click();
  check('and downwards', isOrdered(await numbers(page, 'device-table', column), -1)
    && await head.getAttribute('aria-sort') === 'descending');
  const times = page.locator('#session-table thead th', { hasText: 'Started' });
  await times.locator('button').click();
  check('times sort as times', isOrdered(await numbers(page, 'session-table', 2), 1));
  const all = await page.locator('#session-table tbody tr').count();
  await page.getByRole('searchbox', { name: /Connections/ }).fill('10.1.2.34');
  const shown = await page.locator('#session-table tbody tr:not([hidden])').count();
  check('a filter leaves the rows that match', shown > 0 && shown < all, [shown, all]);
  check('and says how many', (await page.locator('.tools [role=status]').last().textContent()).includes(`${shown} of ${all}`));
  await done(page);
}
{
  const start = await open('samples');
  const id = await start.locator('details.finding:not([open])').last().getAttribute('id');
  await done(start);
  const page = await open('samples', {}, `#${id}`);
  check('a link to a folded finding unfolds it', await page.locator(`#${id}`).getAttribute('open') !== null);
  const broken = await page.evaluate(() => [...document.querySelectorAll('a')]
    .map((link) => link.getAttribute('href')).filter((href) => !href.startsWith('#') || !document.getElementById(href.slice(1))));
  check('every link leads somewhere inside', broken.length === 0, broken);
  await done(page);
}
{
  const page = await open('many');
  const size = readFileSync(`${folder}/many.html`).length;
  check('five thousand devices stay under 2 MB', size < 2e6, size);
  await done(page);
}

// ---- hostile names

{
  const page = await open('hostile');
  const made = await page.evaluate(() => ({
    scripts: document.scripts.length,
    images: document.querySelectorAll('img,iframe,object,embed,link[rel=stylesheet]').length,
    handlers: [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith('on')).length,
    hidden: [...document.body.textContent].filter((c) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(c)).length,
  }));
  check('names make no script, picture, handler or hidden character',
    made.scripts === 1 && made.images === 0 && made.handlers === 0 && made.hidden === 0, made);
  check('they are shown as they are', (await page.locator('#sessions').textContent()).includes('<script>alert(1)</script>'));
  await done(page);
}

// ---- accessibility

for (const name of ['samples', 'faulty', 'healthy', 'hostile', 'empty', 'sites'])
  for (const options of [{}, { colorScheme: 'dark', viewport: { width: 360, height: 800 } }]) {
    if (name === 'hostile' && options.colorScheme) continue;
    const page = await open(name, options);
    await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; }));
    await page.evaluate(axeSource);
    const { violations } = await page.evaluate(() => axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    const brief = violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160), v.nodes[0].failureSummary.slice(0, 200)]);
    check(`${name}${options.colorScheme ? ', dark and narrow' : ''}: axe-core finds nothing`, violations.length === 0, brief);
    await done(page);
  }

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
