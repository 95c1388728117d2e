/**
 * The gain to expect of asking one expert more: P(the verdict is right with it) - P(it is right without), by task, kind, who was heard, and how clear
 * they are. Clear means the margin, the likeliest label's lead over the second in their weighted average: experts who contradict each other, and ones who
 * do not know, both leave a small one. Fitted by `npm run fit:cascade`; it never rises with the margin.
 */
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { kinds, type Post } from '../../ingest/contract.ts'
import { type Task, tasks } from '../contract.ts'
import { modelsFolder, Provenance, readManifest } from '../experts/artifact.ts'
import { expertSet } from './expert-set.ts'

export const cascadeFolder = join(modelsFolder, 'cascade')

export const GainCurve = Type.Object({
  task: Type.Enum(tasks),
  /** Empty: any kind. */
  kind: Type.Enum([...kinds, '']),
  /** Names of the experts that were heard, sorted, joined by `+`; empty: none. */
  heard: Type.String(),
  expert: Type.String(),
  rows: Type.Integer({ minimum: 1 }),
  /** Ascending; linear between two, level outside. */
  margins: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), { minItems: 1 }),
  /** One a margin, never ascending. */
  gains: Type.Array(Type.Number({ minimum: -1, maximum: 1 }), { minItems: 1 }),
})
export type GainCurve = Static<typeof GainCurve>

const Weights = Type.Record(Type.String(), Type.Number({ minimum: 0 }))

export const CascadeManifest = Type.Intersect([
  Provenance,
  Type.Object({
    /** Of the fusion that the curves were fitted with, by kind and expert. */
    weights: Type.Object({ news: Weights, comment: Weights }),
    curves: Type.Array(GainCurve),
    /** Printed by the training command; read by people only. */
    metrics: Type.Record(Type.String(), Type.Unknown()),
  }),
])
export type CascadeManifest = Static<typeof CascadeManifest>

export interface GainQuestion {
  readonly task: Task
  readonly kind: Post['kind']
  /** Who gave an answer on the task, in any order. */
  readonly heard: readonly string[]
  /** Not among them. */
  readonly expert: string
  /** 0 where nobody was heard. */
  readonly margin: number
  /** Of the weights of all experts that judge the task, what those who were heard have. */
  readonly share: number
}

export interface Gains {
  /** Probability of a right verdict, in [-1, 1]. */
  expected(question: GainQuestion): number
}

/** Throws `MODEL` when the manifest is missing or damaged. */
export function readCascade(folder: string = cascadeFolder): CascadeManifest {
  return readManifest(join(folder, 'manifest.json'), CascadeManifest)
}

/**
 * Heard experts that no curve knows are passed over, and a kind without rows of its own is judged as any kind. An expert without a curve is hoped for: it is
 * asked where the verdict is open, until it was fitted. Where feedback has taken weight from those who were heard, their margin counts for less:
 * an expert that has gone wrong is as sure of itself as before.
 */
export function createGains({
  curves,
  weights,
}: Pick<CascadeManifest, 'curves' | 'weights'>): Gains {
  const byKey = new Map(
    curves.map((curve) => [key(curve.task, curve.kind, curve.heard, curve.expert), curve]),
  )
  const known = new Set(curves.map(({ task, expert }) => `${task}/${expert}`))
  const knownOf = (task: Task, experts: readonly string[]) =>
    experts.filter((name) => known.has(`${task}/${name}`))
  const answerTo = ({
    task,
    kind,
    heard,
    expert,
  }: Omit<GainQuestion, 'margin' | 'share'>): Answer => {
    const familiar = knownOf(task, heard)
    const set = expertSet(familiar)
    const weightOf = (experts: readonly string[]) =>
      experts.reduce((sum, name) => sum + (weights[kind][name] ?? 0), 0)
    return {
      curve: byKey.get(key(task, kind, set, expert)) ?? byKey.get(key(task, '', set, expert)),
      fittedShare: weightOf(familiar) / weightOf(knownOf(task, Object.keys(weights[kind]))),
    }
  }
  // As many as there are ways to ask the loaded experts.
  const answers = new Map<string, Answer>()
  return {
    expected(question) {
      const { task, kind, heard, expert, margin, share } = question
      const asked = key(task, kind, heard.join('+'), expert)
      const answer = answers.get(asked) ?? answerTo(question)
      answers.set(asked, answer)
      const trusted = margin * trust(share, answer.fittedShare)
      return answer.curve === undefined ? hopedFor(trusted) : gainAt(answer.curve, trusted)
    },
  }
}

/** What does not change from post to post. */
interface Answer {
  readonly curve: GainCurve | undefined
  /** NaN where no expert has a weight. */
  readonly fittedShare: number
}

/** From 0 to 1: what is left of the share that the curves were fitted with. */
function trust(share: number, fitted: number): number {
  return fitted > 0 ? Math.min(1, share / fitted) : 1
}

/** That it is right wherever the others are not, if the truth is one of their two likeliest labels and these are all there is. */
function hopedFor(margin: number): number {
  return (1 - margin) / 2
}

export function gainAt(
  { margins, gains }: Pick<GainCurve, 'margins' | 'gains'>,
  margin: number,
): number {
  const next = margins.findIndex((knot) => knot >= margin)
  if (next === 0) return gains[0] ?? 0
  if (next === -1) return gains.at(-1) ?? 0
  const [from = 0, to = 0] = [margins[next - 1], margins[next]]
  const [before = 0, after = 0] = [gains[next - 1], gains[next]]
  return before + ((after - before) * (margin - from)) / (to - from)
}

function key(task: string, kind: string, heard: string, expert: string): string {
  return `${task}/${kind}/${heard}/${expert}`
}
