import fs from 'node:fs';
import path from 'node:path';
import type { PageAssets } from './report-page/render-page.ts';

/** From `dist/`, where the build puts them. */
export function readPageAssets(distDirectory: string): PageAssets {
  const read = (name: string) => fs.readFileSync(path.join(distDirectory, name), 'utf8');
  return { script: read('report-page.js'), style: read('report-page.css') };
}
