/** The page's style: system fonts, colours by scheme, and a plain form for print. Nothing is loaded. */
export const STYLE = `
:root { color-scheme: light dark;
  --bg: #fbfbfa; --card: #ffffff; --ink: #1c2024; --soft: #5f6770; --rule: #e3e5e8; --track: #eef0f2;
  --written: #2463a8; --skipped: #8a929b; --rejected: #b25a08; --failed: #b3261e;
  --good: #1d7a3e; --warn: #8f5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #14171a; --card: #1c2024; --ink: #e8eaed; --soft: #a3abb4; --rule: #32383f; --track: #2a2f35;
  --written: #6ea8e8; --skipped: #8f98a3; --rejected: #e8a15a; --failed: #f0837c;
  --good: #6cc78d; --warn: #e2b258; --bad: #f0837c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0 0 12px; }
p { margin: 0 0 8px; } .soft { color: var(--soft); }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin-bottom: 4px; }
.badge { font-weight: 600; padding: 2px 12px; border-radius: 999px; border: 1.5px solid currentColor; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 20px 0 16px; }
.tile, section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 12px 14px; } .tile b { display: block; font-size: 23px; line-height: 1.3; font-variant-numeric: tabular-nums; }
section { padding: 18px 20px; margin: 16px 0; overflow-x: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; margin: 16px 0; }
.pair section { margin: 0; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 8px; }
.key span::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; background: var(--swatch); }
svg { display: block; } .chart { width: 100%; height: auto; } .chart.over { min-width: 620px; } .chart text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.stack { width: 100%; height: 18px; border-radius: 4px; } .bar { width: 100%; min-width: 90px; height: 10px; border-radius: 2px; }
.track { fill: var(--track); } .grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.line { fill: none; stroke: var(--written); stroke-width: 2; stroke-linejoin: round; } .area { fill: var(--written); opacity: .16; }
.mean { stroke: var(--soft); stroke-dasharray: 4 4; } .hit { fill: transparent; } .hit:hover { fill: var(--soft); fill-opacity: .18; }
.column { fill: var(--written); } .column:hover { opacity: .75; }
.f-written { fill: var(--written); } .f-skipped { fill: var(--skipped); } .f-rejected { fill: var(--rejected); } .f-failed { fill: var(--failed); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; } tr:last-child > td { border-bottom: 0; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } td.wide { width: 34%; padding-top: 11px; }
code, .mono { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
ul.examples { margin: 2px 0 4px; padding-left: 18px; } details { margin-top: 4px; } summary { cursor: pointer; color: var(--soft); }
@media print {
  :root { color-scheme: light; --bg: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #bbb; --track: #e8e8e8;
    --written: #2463a8; --skipped: #8a929b; --rejected: #b25a08; --failed: #b3261e; --good: #1d7a3e; --warn: #8f5a00; --bad: #b3261e; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; } .tile, section, tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;
