/**
 * `npm run fit:cascade -- DATA_FOLDER`: what each expert is worth after the others, into the manifest of the cascade. Run it after `npm run fit`, whose
 * weights it uses. The same data and artifacts give the same bytes.
 */
import { program } from 'commander'
import { readFusion } from '../allocator/calibration.ts'
import { type CascadeManifest, cascadeFolder, createGains } from '../allocator/gain.ts'
import { rounded } from '../evaluation/metrics.ts'
import { readCorpus } from './corpus.ts'
import { crossFit } from './cross-fit.ts'
import { fitGainCurve, type GainSample, gainSamples } from './fit-gains.ts'
import { judgeRows } from './judged-rows.ts'
import { fitCascadeCommand, provenance } from './provenance.ts'
import { saveManifest } from './save-manifest.ts'

program
  .description('Fit the gains that the cascade expects.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const { rows, judged } = await judgeRows(readCorpus(folder))
    const samples = gainSamples(judged, readFusion().reference_weights).filter(
      (sample) => sample.rows.length > 0,
    )
    const manifest: CascadeManifest = {
      name: 'cascade',
      version: '1',
      ...provenance(
        rows.map(({ example }) => example),
        fitCascadeCommand,
      ),
      curves: samples.map(curveOf),
      metrics: { heldOut: heldOutFigures(samples) },
    }
    saveManifest(cascadeFolder, manifest)
    process.stdout.write(`${JSON.stringify(manifest.metrics, null, 1)}\n`)
  })
await program.parseAsync()

function curveOf({ task, kind, heard, expert, rows }: GainSample) {
  return { task, kind, heard, expert, ...fitGainCurve(rows) }
}

/** By kind; where nobody was heard, all margins are 0 and there are no halves. */
function heldOutFigures(samples: readonly GainSample[]) {
  return Object.fromEntries(
    samples
      .filter(({ kind, heard }) => kind !== '' && heard !== '')
      .map((sample) => [
        `${sample.task} ${sample.kind}: ${sample.expert} after ${sample.heard}`,
        heldOut(sample),
      ]),
  )
}

/** Mean gain of the half of the rows from which more was expected by a curve of the other folds, and of the other half. */
function heldOut(sample: GainSample) {
  const expected = crossFit(sample.rows, (others) => {
    const gains = createGains([{ ...curveOf({ ...sample, rows: others }), kind: '' }])
    const { task, expert } = sample
    const heard = sample.heard.split('+')
    return ({ margin }) => gains.expected({ task, kind: 'news', heard, expert, margin })
  })
  const ranked = [...sample.rows.keys()].toSorted((a, b) => (expected[b] ?? 0) - (expected[a] ?? 0))
  const half = Math.ceil(ranked.length / 2)
  const gainOf = (part: readonly number[]) =>
    rounded(part.reduce((sum, i) => sum + (sample.rows[i]?.gain ?? 0), 0) / part.length)
  return {
    rows: ranked.length,
    expectedMore: gainOf(ranked.slice(0, half)),
    expectedLess: gainOf(ranked.slice(half)),
  }
}
