/** One post, and the parts that alerts share with the feed. */
import type { FeedMention, FeedPost } from '../contract.ts'
import { h } from './dom.ts'
import { formatDay, formatPercent, formatTime, formatTone, toneClass, type Zone } from './format.ts'

export interface PostOptions {
  readonly zone: Zone
  readonly onSelect: (mention: FeedMention) => void
}

const maxMentions = 6

export function createPost(post: FeedPost, { zone, onSelect }: PostOptions): HTMLElement {
  const published = new Date(post.publishedAt)
  const shown = post.mentions.slice(0, maxMentions)
  const more = post.mentions.length - shown.length
  return h(
    'article',
    { class: 'post new', 'aria-posinset': -1, 'aria-setsize': -1 },
    h(
      'div',
      { class: 'meta' },
      h('time', { datetime: post.publishedAt }, formatTime(published, zone)),
      h('span', {}, post.source),
      ...sourceTime(post, zone),
      ...shown.map((mention) => mentionButton(mention, onSelect)),
      ...(more > 0 ? [h('span', {}, `+${more}`)] : []),
      ...(post.topic === '' ? [] : [h('span', { class: 'tag' }, post.topic)]),
      ...(post.status === 'original' ? [] : [h('span', { class: 'tag' }, post.status)]),
      ...sourceLink(post.url),
      h('b', { class: `score ${toneClass(post.score)}` }, formatTone(post.score)),
    ),
    postText(post.text, post.title),
    probabilityBar(post.negative, post.neutral, post.positive),
  )
}

/** Untrusted: text nodes only, and `dir=auto` in an isolate keeps override characters inside. */
export function postText(text: string, title = ''): HTMLElement {
  const heading = title === '' ? [] : [h('b', {}, title)]
  return h('p', { class: 'text', dir: 'auto' }, ...heading, text)
}

export function probabilityBar(negative: number, neutral: number, positive: number): HTMLElement {
  const label = `negative ${formatPercent(negative)}, neutral ${formatPercent(neutral)}, positive ${formatPercent(positive)}`
  const parts = [negative, neutral, positive].map((share) => {
    const part = h('i')
    part.style.width = `${share * 100}%`
    return part
  })
  return h('div', { class: 'bar', role: 'img', 'aria-label': label, title: label }, ...parts)
}

/** A replay moves times; then the source's own time is shown too. */
function sourceTime(post: FeedPost, zone: Zone): HTMLElement[] {
  if (post.originalPublishedAt === post.publishedAt) return []
  const original = new Date(post.originalPublishedAt)
  return [
    h(
      'time',
      { datetime: post.originalPublishedAt, title: "the source's time" },
      formatDay(original, zone),
    ),
  ]
}

function mentionButton(
  mention: FeedMention,
  onSelect: (mention: FeedMention) => void,
): HTMLButtonElement {
  const title = mention.name === '' ? mention.instrument : mention.name
  const button = h('button', { type: 'button', class: 'ticker', title }, mention.ticker)
  button.addEventListener('click', () => onSelect(mention))
  return button
}

/** Only http and https become links: a `javascript:` address stays unseen. */
function sourceLink(url: string): HTMLElement[] {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return []
  return [h('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow' }, 'source')]
}
