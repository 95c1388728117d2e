/** The table of instruments whose tone changed most. Rows stay the same elements, so focus and hover survive an update. */
import type { Mover } from '../contract.ts'
import { byId, h, setAttributes, setText, svg } from './dom.ts'
import { formatCount, formatTone, toneClass } from './format.ts'

interface Row {
  readonly element: HTMLTableRowElement
  update(mover: Mover, selected: boolean): void
}

const sparkWidth = 96
const sparkHeight = 22

export function createMovers(onSelect: (mover: Mover) => void): {
  show(movers: readonly Mover[], selected: string | undefined): void
} {
  const body = byId('movers-body', HTMLElement)
  const rows = new Map<string, Row>()
  const tbody = h('tbody')
  const table = h('table', { class: 'movers' }, head(), tbody)

  return {
    show(movers, selected) {
      if (movers.length === 0) {
        body.replaceChildren(
          h('p', { class: 'empty' }, 'No instrument was mentioned in this range.'),
        )
        return
      }
      if (!table.isConnected) body.replaceChildren(table)
      const focused = document.activeElement
      const shown = movers.map((mover) => {
        const row = rows.get(mover.instrument) ?? createRow(mover, onSelect)
        rows.set(mover.instrument, row)
        row.update(mover, mover.instrument === selected)
        return row.element
      })
      const changed = shown.some((element, index) => tbody.children[index] !== element)
      if (changed || tbody.children.length !== shown.length) tbody.replaceChildren(...shown)
      if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus()
      const known = new Set(movers.map(({ instrument }) => instrument))
      for (const id of rows.keys()) if (!known.has(id)) rows.delete(id)
    },
  }
}

function head(): HTMLTableSectionElement {
  return h(
    'thead',
    {},
    h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Instrument'),
      h('th', { scope: 'col' }, 'Score'),
      h('th', { scope: 'col', class: 'before' }, 'Before'),
      h('th', { scope: 'col' }, 'Posts'),
      h('th', { scope: 'col', class: 'range' }, 'Range'),
      h('th', { scope: 'col', title: 'Standard errors between the two means' }, 'Surprise'),
    ),
  )
}

function createRow(first: Mover, onSelect: (mover: Mover) => void): Row {
  let current = first
  const button = h('button', { type: 'button', class: 'ticker' }, first.ticker)
  const [score, before, posts, surprise] = [h('td'), h('td', { class: 'before' }), h('td'), h('td')]
  const line = svg('path')
  const chart = svg(
    'svg',
    { class: 'sparkline', viewBox: `0 0 ${sparkWidth} ${sparkHeight}`, 'aria-hidden': 'true' },
    svg('line', { x1: 0, x2: sparkWidth, y1: sparkHeight / 2, y2: sparkHeight / 2 }),
    line,
  )
  const spark = h('td', { class: 'range' }, chart)
  button.addEventListener('click', () => onSelect(current))
  const element = h(
    'tr',
    {},
    h('td', {}, button, h('small', {}, first.name)),
    score,
    before,
    posts,
    spark,
    surprise,
  )
  return {
    element,
    update(mover, selected) {
      current = mover
      setAttributes(element, { 'aria-current': selected ? 'true' : undefined })
      setText(score, formatTone(mover.score))
      score.className = toneClass(mover.score)
      setText(before, mover.before === null ? '–' : formatTone(mover.before))
      setText(posts, formatCount(mover.posts))
      setText(surprise, mover.surprise.toFixed(1))
      setAttributes(line, { d: sparkPath(mover.sparkline) })
      chart.setAttribute('class', `sparkline ${toneClass(mover.score)}`)
    },
  }
}

/** Empty slots are bridged: a gap in a thin series is no break in its tone. */
function sparkPath(values: readonly (number | null)[]): string {
  const step = sparkWidth / Math.max(1, values.length - 1)
  const points = values.flatMap((value, index) =>
    value === null
      ? []
      : [`${(index * step).toFixed(1)},${((1 - value) * (sparkHeight / 2)).toFixed(1)}`],
  )
  const [only] = points
  if (points.length === 1 && only !== undefined) return `M${only}h2`
  return points.length === 0 ? '' : `M${points.join('L')}`
}
