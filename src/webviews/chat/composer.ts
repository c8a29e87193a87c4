/** Where one writes. Enter sends, Shift+Enter is a new line, Up in the empty box edits one's last post, Escape gives an edit up. */
import { focusWhenHere } from './focus.ts';
import {
  isTooLong,
  type ChatRights,
  type Labels,
  type PostEdit,
  type ShownPost,
  type ToHost,
  type Unsent,
} from './messages.ts';

export interface ComposerDoors {
  send(message: Extract<ToHost, { type: 'post' | 'edit' }>): void;
  lastOwn(): ShownPost | undefined;
  /** Why it was not sent. */
  refuse(sentence: string): void;
  /** Where it is on the page. */
  shown(post: string): ShownPost | undefined;
  changed(): void;
}

interface Editing {
  /** It may stand further up than the page goes. */
  readonly post: string;
  /** What it said, where that is known: the same again is no edit. */
  readonly before: string | undefined;
}

export class Composer {
  readonly box: HTMLTextAreaElement;
  readonly #form: HTMLFormElement;
  readonly #hint: HTMLElement;
  readonly #send: HTMLButtonElement;
  readonly #doors: ComposerDoors;
  #labels: Labels | undefined;
  #rights: ChatRights | undefined;
  #editing: Editing | undefined;
  /** What was being written when an edit began; it comes back after. */
  #put = '';
  /** Edits whose turn comes after the one under way: they failed meanwhile, or were left for it. */
  #later: readonly PostEdit[] = [];

  constructor(form: HTMLFormElement, doors: ComposerDoors) {
    this.#form = form;
    this.box = form.querySelector('textarea')!;
    this.#hint = form.querySelector('.hint')!;
    this.#send = form.querySelector('button')!;
    this.#doors = doors;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener('keydown', (event) => this.#key(event));
    this.box.addEventListener('input', () => this.#changed());
  }

  /** What is to be kept while the page is away. */
  get unsent(): Unsent {
    const editing = this.#editing === undefined ? {} : { editing: this.#editing.post };
    return { draft: this.box.value, ...editing, put: this.#put, later: this.#later };
  }

  label(labels: Labels, rights: ChatRights): void {
    this.#labels = labels;
    this.box.setAttribute('aria-label', labels.write);
    this.#send.textContent = labels.send;
    this.allow(rights);
    this.#showEditing();
  }

  allow(rights: ChatRights): void {
    this.#rights = rights;
    this.box.disabled = false;
    this.box.placeholder = (rights.post ? this.#labels?.write : this.#labels?.readOnly) ?? '';
    this.#open();
  }

  #open(): void {
    const isOpen = this.#editing === undefined ? this.#rights?.post === true : this.#rights?.edit === true;
    // Not disabled: what was being written can still be selected and copied, and the keyboard stays where it is.
    this.box.readOnly = !isOpen;
    this.#send.disabled = !isOpen;
  }

  restore({ draft, editing, put = '', later = [] }: Unsent): void {
    this.#put = put;
    this.#later = later;
    this.#show(draft, editing === undefined ? undefined : { post: editing, before: this.#doors.shown(editing)?.text });
  }

  edit({ id, text }: ShownPost): void {
    if (this.#editing?.post !== id) {
      this.#leaveEdit();
      const left = this.#later.find(({ post }) => post === id);
      this.#later = this.#later.filter((one) => one !== left);
      this.#begin(left?.text ?? text, { post: id, before: text });
    }
    this.focus();
  }

  /** A new message that could not be sent. What stands already is kept with it; an edit that is under way is left alone. */
  giveBack(text: string): void {
    if (this.#editing === undefined) {
      this.#show(joined(text, this.box.value), undefined);
      focusWhenHere(this.box);
    } else {
      this.#put = joined(text, this.#put);
    }
    this.#doors.changed();
  }

  /** An edit that could not be sent. A draft is put aside for it, as when it began; another edit goes on first. */
  giveBackEdit({ post, text }: PostEdit): void {
    if (this.#editing === undefined) {
      this.#begin(text, { post, before: undefined });
      focusWhenHere(this.box);
    } else {
      this.#later = [...this.#later, { post, text }];
      this.#doors.changed();
    }
  }

  /** The person has asked for it. */
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
    // The service takes no space at the end.
    const text = this.box.value.trimEnd();
    if (this.box.disabled || this.box.readOnly || text === '') return;
    // It stays in the box, however long it is: what was pasted, or joined to a draft, may be nowhere else.
    if (isTooLong(text)) {
      this.#doors.refuse(this.#labels?.tooLong ?? '');
      return;
    }
    if (this.#editing === undefined) {
      this.box.value = '';
      this.#changed();
      this.#doors.send({ type: 'post', text });
      return;
    }
    const { post, before } = this.#editing;
    this.#endEdit();
    if (text !== before) this.#doors.send({ type: 'edit', post, text });
  }

  #begin(text: string, editing: Editing): void {
    if (this.#editing === undefined) this.#put = this.box.value;
    this.#show(text, editing);
    this.#doors.changed();
  }

  /** For another one. Escape alone gives up what was changed. */
  #leaveEdit(): void {
    if (this.#editing === undefined) return;
    const [{ post, before }, text] = [this.#editing, this.box.value];
    if (text !== before && text.trim() !== '') this.#later = [{ post, text }, ...this.#later];
  }

  #endEdit(): void {
    const [next, ...rest] = this.#later;
    this.#later = rest;
    if (next !== undefined) {
      this.#show(next.text, { post: next.post, before: undefined });
    } else {
      this.#show(this.#put, undefined);
      this.#put = '';
    }
    this.#doors.changed();
  }

  #show(text: string, editing: Editing | undefined): void {
    this.#editing = editing;
    this.box.value = text;
    this.#open();
    this.#showEditing();
    this.#grow();
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

function joined(before: string, after: string): string {
  return after === '' ? before : `${before}\n${after}`;
}
