/** Where one writes. Enter sends, Shift+Enter is a new line, Up in the empty box edits one's last post, Escape gives an edit up. */
import { type Labels, MAX_TEXT_CHARACTERS, type ShownPost } from './messages.ts';

export interface ComposerDoors {
  post(text: string): void;
  edit(post: string, text: string): void;
  lastOwn(): ShownPost | undefined;
  changed(): void;
}

export class Composer {
  readonly box: HTMLTextAreaElement;
  readonly #form: HTMLFormElement;
  readonly #hint: HTMLElement;
  readonly #send: HTMLButtonElement;
  readonly #doors: ComposerDoors;
  #labels: Labels | undefined;
  #editing: ShownPost | undefined;
  /** What was being written when an edit began; it comes back after. */
  #put = '';

  constructor(form: HTMLFormElement, doors: ComposerDoors) {
    this.#form = form;
    this.box = form.querySelector('textarea')!;
    this.#hint = form.querySelector('.hint')!;
    this.#send = form.querySelector('button')!;
    this.#doors = doors;
    this.box.maxLength = MAX_TEXT_CHARACTERS;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener('keydown', (event) => this.#key(event));
    this.box.addEventListener('input', () => this.#changed());
  }

  /** What is to be kept while the page is away; of an edit, the edited text. */
  get draft(): string {
    return this.box.value;
  }

  get editing(): string | undefined {
    return this.#editing?.id;
  }

  label(labels: Labels, canPost: boolean): void {
    this.#labels = labels;
    this.box.setAttribute('aria-label', labels.write);
    this.#send.textContent = labels.send;
    this.allow(canPost);
    this.#showEditing();
  }

  allow(canPost: boolean): void {
    this.box.disabled = !canPost;
    this.#send.disabled = !canPost;
    this.box.placeholder = (canPost ? this.#labels?.write : this.#labels?.readOnly) ?? '';
  }

  restore(draft: string, editing: ShownPost | undefined): void {
    this.#editing = editing;
    this.box.value = draft;
    this.#showEditing();
    this.#grow();
  }

  edit(post: ShownPost): void {
    if (this.#editing === undefined) this.#put = this.box.value;
    this.#editing = post;
    this.box.value = post.text;
    this.#showEditing();
    this.#changed();
    this.focus();
  }

  /** A text that could not be sent. Where something new stands already, both are kept. */
  giveBack(text: string): void {
    this.box.value = this.box.value === '' ? text : `${text}\n${this.box.value}`;
    this.#changed();
    this.focus();
  }

  focus(): void {
    this.box.focus();
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
  }

  #key(event: KeyboardEvent): void {
    // Enter that ends a composition (Japanese, Chinese) chooses a word, it does not send.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === 'Escape' && this.#editing !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.#endEdit();
    } else if (event.key === 'ArrowUp' && this.box.value === '' && this.#editing === undefined) {
      const last = this.#doors.lastOwn();
      if (last === undefined) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  #submit(): void {
    const text = this.box.value;
    if (this.box.disabled || text.trim() === '') return;
    if (this.#editing === undefined) {
      this.box.value = '';
      this.#changed();
      this.#doors.post(text);
      return;
    }
    const { id, text: before } = this.#editing;
    this.#endEdit();
    if (text !== before) this.#doors.edit(id, text);
  }

  #endEdit(): void {
    this.#editing = undefined;
    this.box.value = this.#put;
    this.#put = '';
    this.#showEditing();
    this.#changed();
  }

  #showEditing(): void {
    this.#form.classList.toggle('editing', this.#editing !== undefined);
    this.#hint.textContent = this.#editing === undefined ? '' : (this.#labels?.editing ?? '');
  }

  #changed(): void {
    this.#grow();
    this.#doors.changed();
  }

  /** As tall as its text; the style sheet says where that ends. */
  #grow(): void {
    this.box.rows = Math.min(12, Math.max(1, this.box.value.split('\n').length));
  }
}
