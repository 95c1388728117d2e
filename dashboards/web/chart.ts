/** Sentiment as a line over volume as bars, with the usual band and marks for alerts. */
import uPlot from '/vendor/uPlot.esm.js'
import type { Band, SeriesPoint } from '../contract.ts'
import { formatDate, formatScore, formatTime, type Zone } from './format.ts'

export interface ChartData {
  readonly points: readonly SeriesPoint[]
  readonly usual: Band | null
  /** Times (ms) at which alerts fired. */
  readonly marks: readonly number[]
}

export interface ChartOptions {
  readonly zone: Zone
  readonly onPoint: (point: SeriesPoint | undefined) => void
}

/** The bars keep to the lower quarter, so that they never cover the line. */
const volumeHeadroom = 4
const minScoreSpan = 0.3

export class Chart {
  readonly #target: HTMLElement
  readonly #options: ChartOptions
  #data: ChartData
  readonly #plot: uPlot
  readonly #resize: ResizeObserver

  constructor(target: HTMLElement, data: ChartData, options: ChartOptions) {
    this.#target = target
    this.#options = options
    this.#data = data
    this.#plot = new uPlot(this.#describe(), align(data), target)
    this.#resize = new ResizeObserver(() => this.#plot.setSize(this.#size()))
    this.#resize.observe(target)
    target.tabIndex = 0
    target.onkeydown = (event) => this.#step(event)
  }

  update(data: ChartData): void {
    this.#data = data
    this.#plot.setData(align(data))
  }

  destroy(): void {
    this.#resize.disconnect()
    this.#plot.destroy()
  }

  #size(): { width: number; height: number } {
    return { width: this.#target.clientWidth, height: this.#target.clientHeight }
  }

  /** Arrow keys walk along the points. */
  #step(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const { points } = this.#data
    if (by === undefined || points.length === 0) return
    event.preventDefault()
    const from = this.#plot.cursor.idx ?? points.length - (by < 0 ? 0 : 1)
    const point = points[Math.min(points.length - 1, Math.max(0, from + by))]
    const left = this.#plot.valToPos((point?.at ?? 0) / 1_000, 'x')
    this.#plot.setCursor({ left, top: 0 })
  }

  #describe(): uPlot.Options {
    const token = (name: string) =>
      getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    const axis = {
      stroke: token('muted'),
      grid: { stroke: token('line'), width: 1 },
      ticks: { show: false },
      font: `11px ${token('font')}`,
    }
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false, x: false, y: false } },
      tzDate: (seconds) => inZone(seconds, this.#options.zone),
      scales: {
        score: { range: (_plot, low, high) => scoreRange(low, high, this.#data.usual) },
        posts: { range: (_plot, _low, high) => [0, Math.max(1, high ?? 1) * volumeHeadroom] },
      },
      axes: [
        {
          ...axis,
          size: 30,
          grid: { show: false },
          values: (_plot, ticks) => timeLabels(ticks, this.#options.zone),
        },
        { ...axis, scale: 'score', size: 44, values: (_plot, ticks) => ticks.map(formatScore) },
        {
          ...axis,
          scale: 'posts',
          side: 1,
          size: 40,
          grid: { show: false },
          splits: () => [0, maxPosts(this.#data)],
          values: (_plot, ticks) => ticks.map(String),
        },
      ],
      series: [
        {},
        {
          label: 'posts',
          scale: 'posts',
          fill: `color-mix(in srgb, ${token('neutral')} 45%, transparent)`,
          width: 0,
          points: { show: false },
          ...(uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
        },
        {
          label: 'score',
          scale: 'score',
          stroke: token('ink'),
          width: 1.8,
          spanGaps: true,
        },
      ],
      hooks: {
        drawClear: [
          (plot) => {
            this.#drawBand(plot, token('neutral'))
            drawLine(plot, { colour: token('muted'), dash: [], ...across(plot, 0) })
          },
        ],
        draw: [(plot) => this.#drawMarks(plot, token('alert'))],
        setCursor: [
          (plot) => {
            const { idx } = plot.cursor
            this.#options.onPoint(idx == null ? undefined : this.#data.points[idx])
          },
        ],
      },
    }
  }

  #drawBand(plot: uPlot, colour: string): void {
    const { usual } = this.#data
    if (usual === null) return
    const top = plot.valToPos(usual.high, 'score', true)
    const bottom = plot.valToPos(usual.low, 'score', true)
    plot.ctx.save()
    plot.ctx.globalAlpha = 0.18
    plot.ctx.fillStyle = colour
    plot.ctx.fillRect(plot.bbox.left, top, plot.bbox.width, bottom - top)
    plot.ctx.restore()
  }

  #drawMarks(plot: uPlot, colour: string): void {
    const { left, top, width, height } = plot.bbox
    for (const at of this.#data.marks) {
      const x = plot.valToPos(at / 1_000, 'x', true)
      if (x < left || x > left + width) continue
      drawLine(plot, { colour, dash: [4, 4], from: [x, top], to: [x, top + height] })
    }
  }
}

interface Line {
  readonly colour: string
  readonly dash: number[]
  readonly from: [number, number]
  readonly to: [number, number]
}

function across(plot: uPlot, score: number): Pick<Line, 'from' | 'to'> {
  const y = plot.valToPos(score, 'score', true)
  return { from: [plot.bbox.left, y], to: [plot.bbox.left + plot.bbox.width, y] }
}

function drawLine({ ctx }: uPlot, { colour, dash, from, to }: Line): void {
  ctx.save()
  ctx.strokeStyle = colour
  ctx.lineWidth = 1
  ctx.setLineDash(dash)
  ctx.beginPath()
  ctx.moveTo(...from)
  ctx.lineTo(...to)
  ctx.stroke()
  ctx.restore()
}

function align({ points }: ChartData): uPlot.AlignedData {
  return [
    points.map(({ at }) => at / 1_000),
    points.map(({ posts }) => posts),
    points.map(({ score }) => score),
  ]
}

const maxPosts = ({ points }: ChartData): number =>
  points.reduce((most, { posts }) => Math.max(most, posts), 1)

/** Symmetric about zero, at least ±0.3, and wide enough for the band. */
function scoreRange(low: number | null, high: number | null, usual: Band | null): [number, number] {
  const values = [low ?? 0, high ?? 0, usual?.low ?? 0, usual?.high ?? 0].map(Math.abs)
  const span = Math.min(1, Math.max(minScoreSpan, ...values.map((value) => value * 1.1)))
  return [-span, span]
}

const inZone = (seconds: number, zone: Zone): Date => {
  const date = new Date(seconds * 1_000)
  return zone === 'utc' ? uPlot.tzDate(date, 'Etc/UTC') : date
}

/** Days on long spans, seconds on short ones. */
function timeLabels(ticks: readonly number[], zone: Zone): string[] {
  const step = (ticks[1] ?? 0) - (ticks[0] ?? 0)
  return ticks.map((tick) => {
    const at = new Date(tick * 1_000)
    if (step >= 86_400) return formatDate(at, zone)
    return formatTime(at, zone).slice(0, step % 60 === 0 ? 5 : 8)
  })
}
