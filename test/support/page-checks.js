/** Runs inside a page that a test looks at: the test evaluates this text and calls one of these. */

/** Shapes that stick out of the chart that they belong to. */
// biome-ignore lint/correctness/noUnusedVariables: called by the test in the page
function shapesOutside() {
  return [...document.querySelectorAll('svg.chart')].flatMap((svg) => {
    const frame = svg.getBoundingClientRect();
    const isOutside = ({ box }) =>
      box.left < frame.left - 1 ||
      box.right > frame.right + 1 ||
      box.top < frame.top - 1 ||
      box.bottom > frame.bottom + 1;
    return [...svg.querySelectorAll('path, rect, text, line')]
      .map((shape) => ({ shape: shape.outerHTML, box: shape.getBoundingClientRect() }))
      .filter(isOutside)
      .map(({ shape }) => shape);
  });
}

/** Texts whose contrast with what is behind them is below `least`, as WCAG reckons it. */
// biome-ignore lint/correctness/noUnusedVariables: called by the test in the page
function paleTexts(least) {
  return [...document.querySelectorAll('h1, h2, p, td, th, span, b, text, li')]
    .filter((element) => element.textContent.trim() !== '')
    .map((element) => {
      const style = getComputedStyle(element);
      const ink = luminance(element.tagName === 'text' ? style.fill : style.color);
      const paper = luminance(backgroundOf(element));
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      return { text: element.textContent, ratio };
    })
    .filter(({ ratio }) => ratio < least);
}

function luminance(color) {
  const [r, g, b] = color
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map((part) => {
      const share = Number(part) / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function backgroundOf(element) {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (!color.startsWith('rgba(0, 0, 0, 0')) return color;
  }
  return 'rgb(255, 255, 255)';
}
