/**
 * The list of posts. Older ones come when one scrolls up; it stays at the end while one is there, and stays put while one reads further up.
 * By keyboard: arrows go from post to post, Enter edits and Delete deletes, as far as the person may.
 */
import { focusWhenHere } from './focus.ts';
import { mayDelete, mayEdit, type ChatRights, type FromHost, type ShownPost } from './messages.ts';
import { PostList } from './post-list.ts';

export interface LogDoors {
  older(before: string): void;
  edit(post: ShownPost): void;
  delete(post: ShownPost): void;
  open(href: string): void;
  /** So many have come at once that they are not read out. */
  many(count: number): void;
}

/** What has come at once is read out up to here: of a chat that catches up, a screen reader would read for hours. */
const MAX_READ_OUT = 5;
/** This near to an end counts as there. */
const NEAR_PX = 48;

export class PostLog {
  readonly #list: HTMLElement;
  readonly #doors: LogDoors;
  readonly #posts: PostList;
  #isShown = false;
  #rights: ChatRights = { post: false, edit: false, delete: 'none' };
  #askedBefore: string | undefined;
  /** The post on which the keyboard has been last. */
  #lastFocused: string | undefined;

  constructor(list: HTMLElement, doors: LogDoors) {
    this.#list = list;
    this.#doors = doors;
    this.#posts = new PostList(list);
    list.addEventListener('scroll', () => this.#askOlder(), { passive: true });
    list.addEventListener('keydown', (event) => this.#key(event));
    list.addEventListener('focusin', ({ target }) => {
      this.#lastFocused = this.#posts.around(target as Element)?.post.id;
    });
    list.addEventListener('click', (event) => this.#click(event));
  }

  post(id: string | undefined): ShownPost | undefined {
    return this.#posts.find(id)?.post;
  }

  lastOwn(): ShownPost | undefined {
    let view = this.#posts.last;
    while (view && !mayEdit(this.#rights, view.post)) view = this.#posts.before(view);
    return view?.post;
  }

  /** The style sheet hides the buttons of what is not allowed. */
  allow(rights: ChatRights): void {
    this.#rights = rights;
    this.#list.classList.toggle('edits', rights.edit);
    this.#list.classList.toggle('deletes-own', rights.delete === 'own');
    this.#list.classList.toggle('deletes-any', rights.delete === 'any');
  }

  snapshot({ posts, more, labels, rights }: Extract<FromHost, { type: 'snapshot' }>): void {
    const place = this.#isShown ? this.#place() : undefined;
    this.#isShown = true;
    this.allow(rights);
    this.#list.setAttribute('aria-label', labels.posts);
    this.#askedBefore = undefined;
    this.#quietly(() => {
      this.#posts.reset(posts, more, labels);
      this.#posts.newFrom = posts.find(({ unread }) => unread)?.id;
    });
    const { newLine } = this.#posts;
    if (place?.() !== true) {
      if (newLine) newLine.scrollIntoView({ block: 'center' });
      else this.#toEnd();
    }
    this.#askOlder();
  }

  /**
   * What comes, goes or changes its size takes the end along; what is only known better (delivered, read) moves nothing. A change to what
   * has not been scrolled to yet comes with its page; what nobody has read yet is shown all the same, since it counts as seen from now on.
   */
  put(posts: readonly ShownPost[], removed: readonly string[]): void {
    if (!this.#isShown) return;
    const [atEnd, height_px] = [this.#atEnd(), this.#list.scrollHeight];
    let wrote = false;
    const come = posts.filter((post) => !post.self && this.#comes(post)).length;
    if (come > MAX_READ_OUT) {
      this.#silence();
      this.#doors.many(come);
    }
    for (const post of posts) {
      const present = this.#posts.find(post.id);
      if (present) present.update(post);
      else if (this.#comes(post)) {
        this.#posts.add(post);
        wrote ||= post.self;
      }
      if (!post.self && post.unread && !document.hasFocus()) this.#posts.newFrom ??= post.id;
    }
    if (wrote) this.#posts.newFrom = undefined;
    for (const id of removed) this.#remove(id);
    if (wrote || (atEnd && this.#list.scrollHeight !== height_px)) this.#toEnd();
  }

  /** Where the person is, further up than the end: to be gone back to in a list that has begun anew, as far as it goes there. */
  #place(): () => boolean {
    const focused = this.#posts.around(document.activeElement)?.post.id;
    const edge_px = this.#list.getBoundingClientRect().top;
    let view = this.#atEnd() ? undefined : this.#posts.first;
    while (view && view.element.getBoundingClientRect().bottom <= edge_px) view = this.#posts.after(view);
    const [first, before_px] = [view?.post.id, view?.element.getBoundingClientRect().top ?? 0];
    return () => {
      const found = this.#posts.find(focused)?.element;
      if (found) focusWhenHere(found);
      const again = this.#posts.find(first)?.element;
      if (again) this.#list.scrollTop += again.getBoundingClientRect().top - before_px;
      return again !== undefined;
    };
  }

  /** Whether it is not here, and is to be. */
  #comes(post: ShownPost): boolean {
    return !this.#posts.find(post.id) && (post.unread || !this.#posts.isFurtherUp(post));
  }

  /** Asked for before the list began anew, it is not what comes before it now: between the two would be a gap that nothing fills. */
  prepend({ before, posts, more }: Extract<FromHost, { type: 'older' }>): void {
    if (!this.#isShown || before !== this.#askedBefore) return;
    this.#askedBefore = undefined;
    const fromEnd_px = this.#list.scrollHeight - this.#list.scrollTop;
    this.#quietly(() => {
      const unread = this.#posts.prepend(posts, more).find((post) => post.unread);
      if (unread) this.#posts.newFrom = unread.id;
    });
    this.#list.scrollTop = this.#list.scrollHeight - fromEnd_px;
    this.#askOlder();
  }

  /** Whoever stands on it goes on beside it, and not from the top of the page. */
  #remove(id: string): void {
    const view = this.#posts.find(id);
    const beside = view && (this.#posts.after(view) ?? this.#posts.before(view));
    const isHere = view?.element.contains(document.activeElement) ?? false;
    // A dialog, such as the question whether to delete it, may have taken the keyboard out of the page.
    const wasHere = this.#lastFocused === id && document.activeElement === document.body;
    this.#posts.remove(id);
    if (isHere || wasHere) focusWhenHere(beside?.element ?? this.#list);
  }

  /** What was there before the person looked is not read out. */
  #quietly(work: () => void): void {
    this.#silence();
    work();
  }

  /** For what changes now. */
  #silence(): void {
    this.#list.setAttribute('aria-live', 'off');
    requestAnimationFrame(() => this.#list.setAttribute('aria-live', 'polite'));
  }

  #askOlder(): void {
    const first = this.#posts.firstOfWhole?.post.id;
    if (!this.#posts.more || first === undefined || this.#list.scrollTop > NEAR_PX || this.#askedBefore === first)
      return;
    this.#askedBefore = first;
    this.#doors.older(first);
  }

  #key(event: KeyboardEvent): void {
    const posts = this.#posts;
    const at = posts.around(document.activeElement);
    switch (event.key) {
      case 'ArrowUp':
        (at ? posts.before(at) : posts.last)?.element.focus();
        break;
      case 'ArrowDown':
        (at ? posts.after(at) : posts.first)?.element.focus();
        break;
      case 'Home':
        posts.first?.element.focus();
        break;
      case 'End':
        posts.last?.element.focus();
        break;
      case 'Delete':
        if (at === undefined || !mayDelete(this.#rights, at.post)) return;
        this.#doors.delete(at.post);
        break;
      case 'Enter':
        // On a link or a button it means that one.
        if (at === undefined || !mayEdit(this.#rights, at.post) || event.target !== at.element) return;
        this.#doors.edit(at.post);
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
      // VS Code, which listens at the window, would open it as well: a second tab, and a second question.
      event.stopPropagation();
      this.#doors.open(link.getAttribute('href') ?? '');
      return;
    }
    const button = target.closest('button');
    const post = this.#posts.around(target)?.post;
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
