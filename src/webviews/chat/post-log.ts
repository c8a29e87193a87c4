/**
 * The list of posts. Older ones come when one scrolls up; it stays at the end while one is there, and stays put while one reads further up.
 * By keyboard: arrows go from post to post, Enter edits and Delete deletes one's own.
 */
import { isEditable, shownTime, type FromHost, type Labels, type ShownPost } from './messages.ts';
import { PostView } from './post-view.ts';

export interface LogDoors {
  older(before: string): void;
  edit(post: ShownPost): void;
  delete(post: ShownPost): void;
  open(href: string): void;
}

/** This near to an end counts as there. */
const NEAR_PX = 48;

export class PostLog {
  readonly #list: HTMLElement;
  readonly #doors: LogDoors;
  #posts: PostView[] = [];
  #labels: Labels | undefined;
  #more = false;
  #askedBefore: string | undefined;
  #separatorBefore: string | undefined;

  constructor(list: HTMLElement, doors: LogDoors) {
    this.#list = list;
    this.#doors = doors;
    list.addEventListener('scroll', () => this.#askOlder(), { passive: true });
    list.addEventListener('keydown', (event) => this.#key(event));
    list.addEventListener('click', (event) => this.#click(event));
  }

  post(id: string | undefined): ShownPost | undefined {
    return this.#posts.find((view) => view.post.id === id)?.post;
  }

  lastOwn(): ShownPost | undefined {
    return this.#posts.findLast(({ post }) => isEditable(post))?.post;
  }

  snapshot({ posts, more, labels }: Extract<FromHost, { type: 'snapshot' }>): void {
    this.#labels = labels;
    this.#list.setAttribute('aria-label', labels.posts);
    this.#posts = posts.map((post) => new PostView(post, labels));
    this.#more = more;
    this.#askedBefore = undefined;
    this.#separatorBefore = posts.find(({ unread }) => unread)?.id;
    this.#quietly(() => this.#layOut());
    const separator = this.#list.querySelector('.unread');
    if (separator === null) this.#toEnd();
    else separator.scrollIntoView({ block: 'center' });
    this.#askOlder();
  }

  /** What comes, goes or changes its size takes the end along; what is only known better (delivered, read) moves nothing. */
  put(posts: readonly ShownPost[], removed: readonly string[]): void {
    const labels = this.#labels;
    if (labels === undefined) return;
    const [atEnd, height_px] = [this.#atEnd(), this.#list.scrollHeight];
    let wrote = false;
    for (const post of posts) {
      const present = this.#posts.find((view) => view.post.id === post.id);
      if (present !== undefined) present.update(post);
      else if (!this.#isOnOlderPage(post)) {
        this.#insert(new PostView(post, labels));
        wrote ||= post.self;
      }
      if (!post.self && post.unread && !document.hasFocus()) this.#separatorBefore ??= post.id;
    }
    if (wrote) this.#separatorBefore = undefined;
    this.#posts = this.#posts.filter((view) => !removed.includes(view.post.id));
    this.#layOut();
    if (wrote || (atEnd && this.#list.scrollHeight !== height_px)) this.#toEnd();
  }

  prepend(posts: readonly ShownPost[], more: boolean): void {
    const labels = this.#labels;
    if (labels === undefined) return;
    this.#more = more;
    this.#askedBefore = undefined;
    const known = new Set(this.#posts.map(({ post }) => post.id));
    const older = posts.filter(({ id }) => !known.has(id)).map((post) => new PostView(post, labels));
    this.#posts = [...older, ...this.#posts];
    const unread = older.find(({ post }) => post.unread);
    if (unread !== undefined) this.#separatorBefore = unread.post.id;
    const fromEnd_px = this.#list.scrollHeight - this.#list.scrollTop;
    this.#quietly(() => this.#layOut());
    this.#list.scrollTop = this.#list.scrollHeight - fromEnd_px;
    this.#askOlder();
  }

  /** A change to what has not been scrolled to yet: it comes with its page. */
  #isOnOlderPage({ time }: ShownPost): boolean {
    const first = this.#posts[0];
    return this.#more && first !== undefined && time < first.post.time;
  }

  /** By the claimed time, from the end: late ones from others stand where they belong; the next snapshot has the true order. */
  #insert(view: PostView): void {
    let at = this.#posts.length;
    while (at > 0 && this.#posts[at - 1]!.post.time > view.post.time) at--;
    this.#posts.splice(at, 0, view);
  }

  /** Puts the elements in order, leaving alone what is in place: what is read by a screen reader or selected stays so. */
  #layOut(): void {
    const labels = this.#labels!;
    const wanted: Element[] = [];
    if (this.#posts.length === 0) wanted.push(this.#note('empty', labels.empty));
    if (this.#more) wanted.push(this.#note('older', labels.older));
    let before: ShownPost | undefined;
    for (const view of this.#posts) {
      if (before === undefined || dayOf(before) !== dayOf(view.post)) wanted.push(this.#note('day', dayOf(view.post)));
      if (view.post.id === this.#separatorBefore) wanted.push(this.#note('unread', labels.unread));
      view.follow(before);
      wanted.push(view.element);
      before = view.post;
    }
    const keep = new Set(wanted);
    for (const child of [...this.#list.children]) if (!keep.has(child)) child.remove();
    wanted.forEach((element, index) => {
      const present = this.#list.children[index];
      if (present !== element) this.#list.insertBefore(element, present ?? null);
    });
  }

  /** A line between posts; the same one again where it stands already. */
  #note(kind: string, text: string): Element {
    for (const child of this.#list.children) {
      if (child.classList.contains(kind) && child.textContent === text) return child;
    }
    const note = document.createElement('div');
    note.className = `note ${kind}`;
    note.setAttribute('role', 'separator');
    note.setAttribute('aria-label', text);
    const words = document.createElement('span');
    words.textContent = text;
    note.append(words);
    return note;
  }

  /** What was there before the person looked is not read out. */
  #quietly(work: () => void): void {
    this.#list.setAttribute('aria-live', 'off');
    work();
    requestAnimationFrame(() => this.#list.setAttribute('aria-live', 'polite'));
  }

  #askOlder(): void {
    const first = this.#posts[0]?.post.id;
    if (!this.#more || first === undefined || this.#list.scrollTop > NEAR_PX || this.#askedBefore === first) return;
    this.#askedBefore = first;
    this.#doors.older(first);
  }

  #key(event: KeyboardEvent): void {
    const at = this.#posts.findIndex(({ element }) => element.contains(document.activeElement));
    const post = this.#posts[at]?.post;
    switch (event.key) {
      case 'ArrowUp':
        this.#posts[at < 0 ? this.#posts.length - 1 : Math.max(0, at - 1)]?.element.focus();
        break;
      case 'ArrowDown':
        this.#posts[Math.min(this.#posts.length - 1, at + 1)]?.element.focus();
        break;
      case 'Home':
        this.#posts[0]?.element.focus();
        break;
      case 'End':
        this.#posts.at(-1)?.element.focus();
        break;
      case 'Delete':
        if (post?.self !== true) return;
        this.#doors.delete(post);
        break;
      case 'Enter':
        // On a link or a button it means that one.
        if (post === undefined || !isEditable(post) || event.target !== this.#posts[at]?.element) return;
        this.#doors.edit(post);
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #click(event: MouseEvent): void {
    const target = event.target as Element;
    const link = target.closest('a');
    if (link !== null) {
      event.preventDefault();
      this.#doors.open(link.getAttribute('href') ?? '');
      return;
    }
    const button = target.closest('button');
    const post = this.#posts.find(({ element }) => element.contains(target))?.post;
    if (button === null || post === undefined) return;
    if (button.classList.contains('edit')) this.#doors.edit(post);
    else this.#doors.delete(post);
  }

  #atEnd(): boolean {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR_PX;
  }

  #toEnd(): void {
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function dayOf(post: ShownPost): string {
  const { lang } = document.documentElement;
  return new Date(shownTime(post)).toLocaleDateString(lang === '' ? undefined : lang, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}
