import { element } from './element.ts';

export type Theme = { button: HTMLButtonElement; onChange(listener: () => void): void };

/** The system's choice until the button is used. On paper it is always light. */
export function createTheme(): Theme {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const listeners: (() => void)[] = [];
  const button = element('button', { class: 'quiet', attributes: { type: 'button' } });
  let chosen: boolean | null = null;
  let onPaper = false;
  const apply = () => {
    const isDark = chosen ?? system.matches;
    document.documentElement.dataset['theme'] = isDark && !onPaper ? 'dark' : 'light';
    button.textContent = isDark ? 'Light theme' : 'Dark theme';
    listeners.forEach((listener) => listener());
  };
  button.addEventListener('click', () => { chosen = !(chosen ?? system.matches); apply(); });
  system.addEventListener('change', apply);
  addEventListener('beforeprint', () => { onPaper = true; apply(); });
  addEventListener('afterprint', () => { onPaper = false; apply(); });
  apply();
  return { button, onChange: (listener) => void listeners.push(listener) };
}
