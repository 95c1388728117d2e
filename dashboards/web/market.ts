/** The chart section: the whole market, or the instrument that the reader chose. */
import type { Band, SeriesPoint, WindowInfo } from '../contract.ts'
import { Chart } from './chart.ts'
import { byId, h, setAttributes, setText } from './dom.ts'
import { formatCount, formatScore, formatTime, type Zone, zoneName } from './format.ts'

export interface MarketData {
  readonly title: string
  readonly note: string
  readonly window: WindowInfo
  readonly points: readonly SeriesPoint[]
  readonly usual: Band | null
  readonly marks: readonly number[]
}

export interface Market {
  show(data: MarketData): void
  /** Draws anew: theme or zone changed, and the canvas holds their colours and labels. */
  redraw(): void
}

export function createMarket(zone: () => Zone): Market {
  const target = byId('chart', HTMLElement)
  const readout = byId('readout', HTMLElement)
  const toggle = byId('chart-table-toggle', HTMLButtonElement)
  const table = byId('chart-table', HTMLElement)
  const empty = byId('chart-empty', HTMLElement)
  let chart: Chart | undefined
  let data: MarketData | undefined

  const describe = (point: SeriesPoint | undefined): string => {
    const band = data?.usual == null ? '' : '; grey band: the usual range'
    if (point === undefined) return `Times in ${zoneName(zone())}${band}`
    const score = point.score === null ? 'no posts' : `score ${formatScore(point.score)}`
    return `${formatTime(new Date(point.at), zone())}: ${score}, ${formatCount(point.posts)} posts`
  }

  const draw = () => {
    if (data === undefined) return
    const { points, title, note } = data
    const isEmpty = points.every(({ posts }) => posts === 0)
    setText(byId('chart-title', HTMLElement), title)
    setText(byId('chart-note', HTMLElement), note)
    empty.hidden = !isEmpty
    setText(empty, 'No posts in this range. Choose a longer one, or wait for the next post.')
    target.hidden = isEmpty
    setAttributes(target, { 'aria-label': summarise(data, zone()) })
    if (isEmpty) return
    if (chart === undefined)
      chart = new Chart(target, data, {
        zone: zone(),
        onPoint: (point) => setText(readout, describe(point)),
      })
    else chart.update(data)
    if (!target.contains(document.activeElement) && !target.matches(':hover'))
      setText(readout, describe(undefined))
    if (!table.hidden) table.replaceChildren(createTable(points, zone()))
  }

  toggle.addEventListener('click', () => {
    table.hidden = !table.hidden
    setAttributes(toggle, { 'aria-expanded': String(!table.hidden) })
    draw()
  })

  return {
    show(next) {
      data = next
      draw()
    },
    redraw() {
      chart?.destroy()
      chart = undefined
      draw()
    },
  }
}

function summarise({ title, points }: MarketData, zone: Zone): string {
  const scored = points.filter(({ score }) => score !== null)
  const [first, last] = [scored[0], scored.at(-1)]
  if (first === undefined || last === undefined) return `${title}: no posts`
  const at = (point: SeriesPoint) =>
    `${formatScore(point.score ?? 0)} at ${formatTime(new Date(point.at), zone)}`
  return `${title}: score from ${at(first)} to ${at(last)}. Arrow keys walk along the points.`
}

function createTable(points: readonly SeriesPoint[], zone: Zone): HTMLTableElement {
  const rows = points
    .filter(({ posts }) => posts > 0)
    .toReversed()
    .map(({ at, score, posts, negative }) =>
      h(
        'tr',
        {},
        h('td', {}, formatTime(new Date(at), zone)),
        h('td', {}, score === null ? '–' : formatScore(score)),
        h('td', {}, formatCount(posts)),
        h('td', {}, negative.toFixed(1)),
      ),
    )
  const names = [`Time (${zoneName(zone)})`, 'Score', 'Posts', 'Negative volume']
  const head = h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name)))
  return h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows))
}
