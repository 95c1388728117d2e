/**
 * The live feed. Posts may come in bursts of hundreds: the newest of them wait in a queue, and each animation frame takes some in
 * one change of the page. While the reader pauses or has scrolled down, the queue waits too, and a button tells its length.
 */
import type { FeedPost } from '../contract.ts'
import { byId, setAttributes, setText } from './dom.ts'
import { formatCount } from './format.ts'
import { createPost, type PostOptions } from './post.ts'

const maxShown = 200
/** A frame has 16 ms; this many posts take a few of them. */
const maxPerFrame = 12

export interface Feed {
  /** Newest last, as the stream brings them. */
  add(posts: readonly FeedPost[]): void
  /** Newest first; replaces what is shown. */
  reset(posts: readonly FeedPost[]): void
  /** Draws everything again: the time zone changed. */
  redraw(): void
  fail(): void
}

export function createFeed(options: () => PostOptions): Feed {
  const list = byId('feed-list', HTMLElement)
  const empty = byId('feed-empty', HTMLElement)
  const waiting = byId('feed-waiting', HTMLButtonElement)
  const pause = byId('feed-pause', HTMLButtonElement)
  let shown: FeedPost[] = []
  let queue: FeedPost[] = []
  let isPaused = false
  let isScheduled = false

  const isHeld = () => isPaused || list.scrollTop > 0

  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    requestAnimationFrame(() => {
      isScheduled = false
      if (isHeld()) showWaiting()
      else {
        flush(maxPerFrame)
        if (queue.length > 0) schedule()
      }
    })
  }

  const showWaiting = () => {
    waiting.hidden = queue.length === 0
    const count = queue.length >= maxShown ? `${maxShown} or more` : formatCount(queue.length)
    setText(waiting, `Show ${count} new`)
  }

  const flush = (limit: number) => {
    const fresh = queue.splice(0, limit).toReversed()
    waiting.hidden = true
    shown = [...fresh, ...shown].slice(0, maxShown)
    list.prepend(...fresh.map((post) => createPost(post, options())))
    while (list.children.length > maxShown) list.lastElementChild?.remove()
    showEmpty()
  }

  const showEmpty = () => {
    setAttributes(list, { 'aria-busy': 'false' })
    empty.hidden = shown.length > 0
    setText(empty, 'No posts yet. They appear here as soon as they are scored.')
  }

  const setPaused = (value: boolean) => {
    isPaused = value
    setAttributes(pause, { 'aria-pressed': String(value) })
    setText(pause, value ? 'Resume' : 'Pause')
    schedule()
  }

  list.tabIndex = 0
  pause.addEventListener('click', () => setPaused(!isPaused))
  list.addEventListener('scroll', schedule, { passive: true })
  waiting.addEventListener('click', () => {
    list.scrollTop = 0
    if (isPaused) setPaused(false)
    flush(maxShown)
  })

  const redraw = () => {
    list.replaceChildren(...shown.map((post) => createPost(post, options())))
    showEmpty()
  }

  return {
    add(posts) {
      queue.push(...posts.filter(({ history }) => !history))
      if (queue.length > maxShown) queue = queue.slice(-maxShown)
      if (queue.length > 0) schedule()
    },
    reset(posts) {
      const known = new Set(posts.map(keyOf))
      queue = queue.filter((post) => !known.has(keyOf(post)))
      shown = [...posts]
      redraw()
    },
    redraw,
    fail() {
      if (shown.length > 0) return
      empty.hidden = false
      setText(empty, 'The feed could not be loaded. Trying again…')
    },
  }
}

const keyOf = ({ partition, offset }: FeedPost): string => `${partition}/${offset}`
