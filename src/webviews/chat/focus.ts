/**
 * Takes the keyboard from nobody. An element that is focused in a frame draws it there from wherever the person is typing, and what was meant
 * for a file, or a terminal, would stand in the box, and Enter would send it. So it waits until the person is in the page.
 */
let awaited: HTMLElement | undefined;

export function focusWhenHere(element: HTMLElement): void {
  awaited = undefined;
  if (document.hasFocus()) element.focus();
  else awaited = element;
}

window.addEventListener('focus', () => {
  const element = awaited;
  awaited = undefined;
  // Where there is a place already, the person goes on from there.
  if (document.activeElement === document.body) element?.focus();
});
