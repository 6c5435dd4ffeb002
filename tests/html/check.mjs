// Pages of thimble report and thimble run, seen as their readers see them. Runs in an empty folder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [tool, executablePath] = process.argv.slice(2);

function writeInput() {
  const names = ['number', 'text', '<script>document.title="run"</script>', 'größe "中" &amp;', 'a'.repeat(300)];
  const rows = [names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',')];
  for (let i = 0; i < 2000; ++i) rows.push([i % 977, `word ${i % 300}`, `<img src=x onerror=alert(${i % 5})>`, i / 8, `2024-01-${10 + (i % 20)}`].join(','));
  writeFileSync('input.csv', rows.join('\n'));
}

function makePages() {
  writeInput();
  const json = execFileSync(tool, ['report', '--json', '--header', 'yes', '--html', 'report.html', 'input.csv']);
  const sampled = execFileSync(tool, ['report', '--json', '--header', 'yes', '--column', 'number', '--sample', '1000', '--html', 'sample.html', 'input.csv']);
  execFileSync(tool, ['report', '--structures', 'shrunk', '--html', 'empty.html', '/dev/null'], { stdio: 'pipe' });
  const steps = 'echo "<b>first</b>" >$THIMBLE_MARKS; head -c 60000000 /dev/zero | tail -c 50000000 >/dev/null; echo then >$THIMBLE_MARKS; sleep 0.2';
  execFileSync(tool, ['run', '--json', '--output', 'run.json', '--html', 'run.html', '--', 'sh', '-c', steps], { stdio: 'pipe' });
  return { report: JSON.parse(json), sample: JSON.parse(sampled), run: JSON.parse(readFileSync('run.json')) };
}

// Opens a page that must be silent, and ask for nothing.
async function open(browser, file, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const faults = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => request.url().startsWith('file:') || request.url().startsWith('data:') || faults.push(request.url()));
  const start = Date.now();
  await page.goto('file://' + resolve(file));
  console.log(`${file} opened in ${Date.now() - start} ms`);
  assert.ok(statSync(file).size < 2e6, file);
  return { page, faults };
}

// Every section of the report, in the order of the page.
const columnsOf = (report) => [...report.columns, report.rows].filter((column) => column.structures.length > 0);
const near = (a, b, tolerance, what) => assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a}, not ${b}`);

async function chartsMatch(page, report) {
  const sections = await page.$$eval('section[id]', (all) => all.map((section) => ({
    bars: [...section.querySelectorAll('.bar')].map((bar) => ({
      structure: bar.dataset.structure, bytes: Number(bar.dataset.bytes), width: bar.querySelector('rect')?.getBoundingClientRect().width ?? 0,
    })),
    points: [...section.querySelectorAll('.point-of')].map((point) => {
      const box = point.querySelector('use').getBoundingClientRect();
      return { structure: point.dataset.structure, ns: Number(point.dataset.ns), bytes: Number(point.dataset.bytes),
               x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }),
  })));
  const columns = columnsOf(report);
  assert.equal(sections.length, columns.length);
  sections.forEach(({ bars, points }, i) => {
    const built = columns[i].structures.filter((structure) => structure.failure === null);
    const of = (name) => built.find((structure) => structure.structure === name);
    assert.deepEqual(bars.map((bar) => bar.structure).sort(), built.map((structure) => structure.structure).sort());
    for (const bar of bars) assert.equal(bar.bytes, of(bar.structure).bytes_per_element);
    // Widths lie on the line through the shortest and the longest: the scale is a logarithm.
    const drawn = bars.filter((bar) => bar.bytes > 0).sort((a, b) => a.bytes - b.bytes);
    const [least, most] = [drawn[0], drawn[drawn.length - 1]];
    const slope = (most.width - least.width) / Math.log(most.bytes / least.bytes);
    for (const bar of drawn) near(bar.width, least.width + slope * Math.log(bar.bytes / least.bytes), 1, bar.structure);
    for (const point of points) {
      assert.equal(point.bytes, of(point.structure).bytes_per_element);
      assert.equal(point.ns, of(point.structure).lookup_ns);
    }
    for (const a of points) for (const b of points) {
      assert.ok((a.ns <= b.ns || a.x > b.x - 2) && (a.bytes <= b.bytes || a.y < b.y + 2), `${a.structure} against ${b.structure}`);
    }
  });
}

async function tablesSort(page) {
  const table = page.locator('section#column-0 table');
  const values = () => table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.cells[2]?.dataset.key).filter((key) => key !== undefined).map(Number));
  const head = table.locator('th').nth(2);
  await head.locator('button').click();
  assert.deepEqual(await values(), [...(await values())].sort((a, b) => a - b));
  assert.equal(await head.getAttribute('aria-sort'), 'ascending');
  await head.locator('button').focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await values(), [...(await values())].sort((a, b) => b - a));
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  await table.locator('th').first().locator('button').click();
  assert.equal(await table.locator('th[aria-sort]').count(), 1);
}

// What a screen reader and a keyboard need.
async function isAccessible(page) {
  const found = await page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const ids = all('[id]').map((element) => element.id);
    return {
      language: document.documentElement.lang,
      headings: all('h1').length,
      unnamed: all('svg:not([aria-hidden]):not(svg svg):not([aria-label])').length,
      unscoped: all('th:not([scope])').length,
      captions: all('table').length - all('table > caption').length,
      unlabelled: all('[aria-labelledby]').filter((element) => !document.getElementById(element.getAttribute('aria-labelledby'))).length,
      broken: all('a[href^="#"]').filter((link) => !document.getElementById(link.hash.slice(1))).length,
      repeated: ids.length - new Set(ids).size,
      unreachable: all('.scroll:not([tabindex="0"])').length,
      images: all('img, iframe, object, embed, link[rel=stylesheet], script[src]').length,
    };
  });
  assert.deepEqual(found, { language: 'en', headings: 1, unnamed: 0, unscoped: 0, captions: 0, unlabelled: 0, broken: 0, repeated: 0, unreachable: 0, images: 0 });
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
}

// The contrast of text with what is behind it, by WCAG.
async function isLegible(page) {
  const least = await page.evaluate(() => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => channels(colour).slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => {
      for (let e = element; e; e = e.parentElement) {
        const colour = getComputedStyle(e).backgroundColor;
        const [, , , alpha = 1] = channels(colour);
        if (alpha === 1) return colour;
      }
      return 'rgb(255, 255, 255)';
    };
    let least = [21, ''];
    for (const element of document.querySelectorAll('h1, h2, p, dt, dd, li, caption, th, td, button, figcaption span, svg text')) {
      const style = getComputedStyle(element);
      const [a, b] = [light(element.closest('svg') ? style.fill : style.color), light(behind(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < least[0]) least = [contrast, element.outerHTML.slice(0, 80)];
    }
    return least;
  });
  assert.ok(least[0] >= 4.5, `contrast ${least}`);
}

async function timelineMatches(page, run) {
  assert.ok((await page.textContent('h1')).includes('head -c 60000000'));
  const marks = await page.$$eval('.mark-of', (all) => all.map((mark) => Number(mark.dataset.seconds)));
  assert.deepEqual(marks, run.marks.map((mark) => mark.seconds));
  assert.equal(run.marks[0].name, '<b>first</b>');
  const { top, plot, bottom, ticks } = await page.evaluate(() => {
    const line = document.querySelector('.pss.line').getBoundingClientRect();
    const plot = document.querySelector('svg.plot').getBoundingClientRect();
    return { top: line.top, plot: plot.top, bottom: plot.bottom, ticks: document.querySelectorAll('svg.plot > .tick').length };
  });
  assert.ok(ticks >= 4 && top >= plot - 2 && top < bottom, 'the line is inside');
}

const json = makePages();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const [colorScheme, width] of [['light', 1280], ['dark', 1280], ['dark', 400]]) {
    for (const file of ['report.html', 'sample.html', 'run.html', 'empty.html']) {
      const { page, faults } = await open(browser, file, { colorScheme, viewport: { width, height: 900 } });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${file} is wider than ${width} pixels`);
      const paper = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      assert.equal(Number(paper.match(/\d+/)[0]) > 128, colorScheme === 'light');
      if (file === 'report.html' || file === 'sample.html') await chartsMatch(page, json[file.slice(0, -5)]);
      if (width === 1280) {
        await isLegible(page);
        await isAccessible(page);
        if (file === 'report.html') await tablesSort(page);
      }
      if (file === 'run.html') await timelineMatches(page, json.run);
      assert.ok(!(await page.title()).startsWith('run'), 'a script of the input ran');
      await page.emulateMedia({ media: 'print' });
      assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('h1')).color), 'rgb(28, 30, 33)');
      if (width === 1280 && colorScheme === 'dark') assert.ok((await page.pdf({ format: 'A4' })).length > 1000);
      assert.deepEqual(faults, []);
      await page.close();
    }
  }
} finally {
  await browser.close();
}
