/** Accuracy against cost as SVG, drawn by Vega-Lite: a line a use of the strategy dynamic over its budgets, a dot each strategy that has none. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Comparison } from './allocator-figures.ts'

export interface CurvePoint {
  readonly strategy: string
  /** As a share of every expert's compute; undefined for a strategy without one. */
  readonly budget: number | undefined
  readonly ms: number
  /** Of every expert's compute. */
  readonly share: number
  readonly accuracy: number
  readonly lessEveryExpert: ReturnType<Comparison['difference']>
  /** The best single expert. */
  readonly lessBest: ReturnType<Comparison['difference']>
}

/** The same points give the same bytes. */
export async function costCurve(points: readonly CurvePoint[]): Promise<string> {
  const view = new View(parse(compile(specification(points)).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

/** White paper and dark ink, so that it reads the same on a dark page. */
const paper = '#ffffff'
const ink = '#1f2328'
const faint = '#d1d9e0'
const colours = ['#0969da', '#bc4c00']

function specification(points: readonly CurvePoint[]): TopLevelSpec {
  const values = points.map(({ strategy, budget, share, accuracy }) => ({
    strategy,
    isCascade: budget !== undefined,
    share,
    accuracy,
  }))
  const x = {
    field: 'share',
    type: 'quantitative',
    title: "share of every expert's compute",
  } as const
  const y = {
    field: 'accuracy',
    type: 'quantitative',
    title: 'accuracy',
    scale: { zero: false },
    axis: { format: '.1%' },
  } as const
  const color = {
    field: 'strategy',
    type: 'nominal',
    title: null,
    scale: { range: colours },
    legend: { orient: 'bottom', labelLimit: 300 },
  } as const
  return {
    title: { text: 'Accuracy against compute, both tasks pooled', anchor: 'start' },
    background: paper,
    padding: 12,
    width: 480,
    height: 300,
    data: { values },
    layer: [
      {
        transform: [{ filter: 'datum.isCascade' }],
        mark: { type: 'line', point: true },
        encoding: { x, y, color, order: { field: 'share', type: 'quantitative' } },
      },
      {
        transform: [{ filter: '!datum.isCascade' }],
        mark: { type: 'circle', color: ink, opacity: 1, size: 60 },
        encoding: { x, y },
      },
      {
        transform: [{ filter: '!datum.isCascade' }],
        mark: { type: 'text', color: ink, align: 'right', baseline: 'top', dx: -6, dy: 4 },
        encoding: { x, y, text: { field: 'strategy', type: 'nominal' } },
      },
    ],
    config: {
      font: 'sans-serif',
      view: { stroke: faint },
      axis: { gridColor: faint, labelColor: ink, titleColor: ink },
      legend: { labelColor: ink },
      title: { color: ink, fontSize: 15 },
    },
  }
}
