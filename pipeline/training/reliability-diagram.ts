/**
 * Reliability diagrams as SVG, drawn by Vega-Lite: observed accuracy against confidence, a column a task and kind, a row before and after calibration.
 * A dot is a bin, its bar the 95% interval of its accuracy (Wilson 1927), the number below it its rows. On the diagonal a confidence is worth what it says.
 */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { type Prediction, tallyOfPredictions } from '../evaluation/metrics.ts'
import { reliabilityBins } from '../evaluation/reliability.ts'

export interface Panel {
  /** Task and kind, as the head of a column. */
  readonly title: string
  readonly stages: Readonly<Record<Stage, readonly Prediction[]>>
}

export const stages = ['before', 'after'] as const
export type Stage = (typeof stages)[number]

/** The same panels give the same bytes. */
export async function reliabilityDiagram(title: string, panels: readonly Panel[]): Promise<string> {
  const view = new View(parse(compile(specification(title, panels)).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

interface Dot {
  readonly panel: string
  readonly stage: Stage
  readonly confidence: number
  readonly accuracy: number
  readonly low: number
  readonly high: number
  readonly rows: number
}

export function dotsOf({ title, stages: predictions }: Panel): Dot[] {
  return stages.flatMap((stage) => {
    return reliabilityBins(tallyOfPredictions(predictions[stage])).map(
      ({ rows, confidence, accuracy }) => {
        const [low, high] = wilsonInterval(accuracy, rows)
        return { panel: title, stage, confidence, accuracy, low, high, rows }
      },
    )
  })
}

/** 95% interval of a share that was seen in `rows`. */
export function wilsonInterval(share: number, rows: number): readonly [low: number, high: number] {
  const z = 1.959964
  const centre = share + z ** 2 / (2 * rows)
  const reach = z * Math.sqrt((share * (1 - share)) / rows + z ** 2 / (4 * rows ** 2))
  const scale = 1 + z ** 2 / rows
  return [Math.max(0, (centre - reach) / scale), Math.min(1, (centre + reach) / scale)]
}

/** White paper and dark ink, so that it reads the same on a dark page. */
const paper = '#ffffff'
const ink = '#1f2328'
const faint = '#d1d9e0'
const dot = '#0969da'

function specification(title: string, panels: readonly Panel[]): TopLevelSpec {
  const axis = { scale: { domain: [0, 1] }, type: 'quantitative' as const }
  const x = { ...axis, field: 'confidence', title: 'confidence' }
  return {
    title: { text: title, anchor: 'start' },
    background: paper,
    padding: 12,
    data: { values: panels.flatMap(dotsOf) },
    facet: {
      column: { field: 'panel', title: null, sort: panels.map((panel) => panel.title) },
      row: { field: 'stage', title: null, sort: [...stages], header: { labelAngle: -90 } },
    },
    spec: {
      width: 210,
      height: 210,
      layer: [
        {
          data: { values: [{ from: 0, to: 1 }] },
          mark: { type: 'rule', color: ink, strokeDash: [4, 4], opacity: 0.6 },
          encoding: {
            x: { ...axis, field: 'from' },
            y: { ...axis, field: 'from' },
            x2: { field: 'to' },
            y2: { field: 'to' },
          },
        },
        {
          mark: { type: 'rule', color: dot, strokeWidth: 1.5 },
          encoding: { x, y: { ...axis, field: 'low', title: 'accuracy' }, y2: { field: 'high' } },
        },
        {
          mark: { type: 'circle', color: dot, opacity: 1 },
          encoding: {
            x,
            y: { ...axis, field: 'accuracy' },
            size: {
              field: 'rows',
              type: 'quantitative',
              legend: null,
              scale: { range: [20, 260] },
            },
          },
        },
        {
          mark: { type: 'text', baseline: 'bottom', dy: -3, color: ink, fontSize: 10 },
          encoding: {
            x,
            y: { datum: 0 },
            text: { field: 'rows', type: 'quantitative' },
          },
        },
      ],
    },
    config: {
      font: 'sans-serif',
      view: { stroke: faint },
      axis: {
        gridColor: faint,
        labelColor: ink,
        titleColor: ink,
        labelFontSize: 11,
        values: [0, 0.25, 0.5, 0.75, 1],
      },
      header: { labelColor: ink, labelFontSize: 13, labelFontWeight: 'bold' },
      title: { color: ink, fontSize: 15 },
    },
  }
}
