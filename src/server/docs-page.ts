/** /docs as one page without scripts, made from the OpenAPI document. */

interface Operation {
  readonly summary?: string;
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[];
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f4;border-radius:4px}code{padding:.1em .3em}
pre{padding:.8em;overflow:auto}h2{margin-top:2rem;border-top:1px solid #ddd;padding-top:1rem}
td{padding:.1em 1em .1em 0;vertical-align:top}`;

export function docsPage(api: OpenApi): string {
  const title = escapeHtml(api.info.title);
  const operations = Object.entries(api.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods ?? {}).map(([method, operation]) =>
      operationHtml(method.toUpperCase(), path, operation as Operation),
    ),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head>
<body><h1>${title} <small>${escapeHtml(api.info.version)}</small></h1>
<p>${escapeHtml(api.info.description ?? '')}</p>
<p>OpenAPI: <a href="docs/json">docs/json</a></p>
${operations.join('\n')}
</body></html>
`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const query = (operation.parameters ?? []).map(
    ({ name, description }) =>
      `<tr><td><code>?${escapeHtml(name)}</code></td><td>${escapeHtml(description ?? '')}</td></tr>`,
  );
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, { description }]) =>
      `<tr><td>${escapeHtml(status)}</td><td>${escapeHtml(description ?? '')}</td></tr>`,
  );
  return `<h2><code>${method} ${escapeHtml(path)}</code></h2>
<p>${escapeHtml(operation.summary ?? '')}</p>
${body === undefined ? '' : `<pre>${escapeHtml(JSON.stringify(body, null, 2))}</pre>`}
<table>${[...query, ...answers].join('')}</table>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
