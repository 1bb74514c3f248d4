import { element } from './element.ts';

/** Text to paste, with a button that copies it. */
export function copyLine(text: string): HTMLElement {
  const code = element('code', { text });
  const button = element('button', { class: 'quiet', text: 'Copy', attributes: { type: 'button', 'aria-label': `Copy ${text}` } });
  const said = element('span', { class: 'unseen', attributes: { role: 'status' } });
  button.addEventListener('click', async () => {
    const isCopied = await copy(code);
    button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
    said.textContent = isCopied ? 'Copied' : 'Selected: press Ctrl+C';
  });
  button.addEventListener('blur', () => { button.textContent = 'Copy'; said.textContent = ''; });
  return element('span', { class: 'line', children: [code, button, said] });
}

/** Where the clipboard is not open to a file's page, the line is selected. */
async function copy(code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
