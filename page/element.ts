export type Content = { class?: string; text?: string; attributes?: Readonly<Record<string, string>>; children?: readonly (Node | string)[] };

/** Makes an element. Text is only ever set as text: nothing the sandbox chose can become markup, a link or a style. */
export function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, content: Content = {}): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (content.class !== undefined) made.className = content.class;
  if (content.text !== undefined) made.textContent = content.text;
  for (const [name, value] of Object.entries(content.attributes ?? {})) made.setAttribute(name, value);
  if (content.children !== undefined) made.append(...content.children);
  return made;
}
