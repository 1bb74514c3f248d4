import type { PageData } from '../src/report-page/page-data.ts';

/** The data are in the page as base64 of deflated JSON. */
export async function readData(): Promise<PageData> {
  const text = atob(document.getElementById('data')?.textContent ?? '');
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return await new Response(inflated).json() as PageData;
}
