/** What `tickertone evaluate` found, as one plain object: `--json` prints it, the text is made of it. docs/decisions/0058-evaluation.md explains the choices. */
import Type, { type Static } from 'typebox'
import type { Evaluated } from './evaluate.ts'
import { Difference, JudgeReport, Report, reportOf } from './report.ts'

const Count = Type.Integer({ minimum: 0 })
/** On the first texts of the file; `speed` says how many, and how they were read. */
const Speed = Type.Object({ textsPerSecond: Type.Number({ exclusiveMinimum: 0 }) })

/** The experts' fusion, among the judges. */
export const fusedName = 'fused'

export const SpeedConditions = Type.Object({
  texts: Count,
  batch: Count,
  /** Of each encoder, with threads of each; absent where none was asked. */
  workers: Type.Optional(Type.Object({ count: Count, threads: Count, provider: Type.String() })),
})
export type SpeedConditions = Static<typeof SpeedConditions>

export const EvaluationDocument = Type.Object({
  file: Type.String(),
  task: Report.properties.task,
  labels: Report.properties.labels,
  rows: Type.Object({
    judged: Count,
    /** Without a label of the task: left out. */
    unlabelled: Count,
    /** Left out, with --skip-bad. */
    bad: Count,
    /** Judged, though a monitor would store them as unsupported. */
    otherLanguage: Count,
  }),
  /** The first of the bad ones. */
  badRows: Type.Array(Type.Object({ line: Count, reason: Type.String() })),
  fused: Type.Intersect([JudgeReport, Speed]),
  experts: Type.Record(
    Type.String(),
    Type.Intersect([JudgeReport, Speed, Type.Object({ version: Type.String() })]),
  ),
  /** The fusion less each expert. */
  differences: Type.Array(Difference),
  bootstrap: Report.properties.bootstrap,
  speed: SpeedConditions,
})
export type EvaluationDocument = Static<typeof EvaluationDocument>

export interface Measured {
  readonly file: string
  readonly evaluated: Evaluated
  /** Of the experts that judge the task, by name. */
  readonly versions: ReadonlyMap<string, string>
  /** Texts a second by judge. */
  readonly speeds: ReadonlyMap<string, number>
  readonly conditions: SpeedConditions
}

/** Needs at least one judged row. */
export function documentOf({
  file,
  evaluated,
  versions,
  speeds,
  conditions,
}: Measured): EvaluationDocument {
  const { intake, texts } = evaluated
  const { judged, unlabelled, bad, otherLanguage, badRows } = intake
  const names = [...versions.keys()]
  const { task, labels, bootstrap, judges, differences } = reportOf(
    texts,
    names.map((name) => [fusedName, name]),
  )
  const figures = (name: string) => {
    const [judge, textsPerSecond] = [judges[name], speeds.get(name)]
    if (judge === undefined || textsPerSecond === undefined)
      throw new RangeError(`${name} was not measured`)
    return { ...judge, textsPerSecond }
  }
  return {
    file,
    task,
    labels,
    rows: { judged, unlabelled, bad, otherLanguage },
    badRows: [...badRows],
    fused: figures(fusedName),
    experts: Object.fromEntries(
      [...versions].map(([name, version]) => [name, { version, ...figures(name) }]),
    ),
    differences,
    bootstrap,
    speed: conditions,
  }
}
