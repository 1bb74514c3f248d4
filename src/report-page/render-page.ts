import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describePage, type PageParts } from './describe-page.ts';

/** The page's own script and style, as the build made them. */
export type PageAssets = { script: string; style: string };

/**
 * The report as one HTML file that needs nothing from anywhere. What the sandbox chose is in it only as base64, in which nothing can be markup
 * or script; the page's script puts it into the document as text. The policy lets exactly this script and this style in, and nothing out.
 */
export function renderPage(parts: PageParts, { script, style }: PageAssets): string {
  const data = deflateRawSync(JSON.stringify(describePage(parts))).toString('base64');
  const policy = [
    "default-src 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`, "base-uri 'none'", "form-action 'none'",
    // No text can become markup, not even by a mistake in the script.
    "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Decoy report</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript, which is in the file itself. The same is in report.json and audit.jsonl.</noscript>
<script type="text/plain" id="data">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
