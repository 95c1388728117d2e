/** The heat map as a table: a row a topic, a column a slot of time. */
import type { Topics } from '../contract.ts'
import { byId, h } from './dom.ts'
import { formatScore, formatTime, type Zone } from './format.ts'

/** From here on a cell carries a sign, so that strength is not colour alone. */
const strong = 0.35
const maxRows = 12

export function showTopics({ topics, window }: Topics, zone: Zone): void {
  const body = byId('topics-body', HTMLElement)
  if (topics.length === 0) {
    body.replaceChildren(h('p', { class: 'empty' }, 'No posts in this range.'))
    return
  }
  const columns = topics[0]?.cells.length ?? 1
  const slotMs = (window.to - window.from) / columns
  const rows = topics.slice(0, maxRows).map(({ topic, cells }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', title: topic }, topic),
      ...cells.map(({ posts, score }, index) => {
        const from = formatTime(new Date(window.from + index * slotMs), zone)
        return cell(score, `${topic}, from ${from}: ${posts} posts`)
      }),
    ),
  )
  body.replaceChildren(h('table', { class: 'heat' }, h('tbody', {}, ...rows)))
}

function cell(score: number | null, where: string): HTMLTableCellElement {
  if (score === null) return h('td', { class: 'none', title: where })
  const title = `${where}, score ${formatScore(score)}`
  const sign = Math.abs(score) < strong ? '' : score < 0 ? '−' : '+'
  const element = h('td', { title, 'aria-label': title }, sign)
  const tone = score < 0 ? 'negative' : 'positive'
  const share = Math.min(95, 8 + Math.round(Math.abs(score) * 110))
  element.style.background = `color-mix(in srgb, var(--${tone}) ${share}%, var(--raised))`
  return element
}
