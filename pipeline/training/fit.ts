/**
 * `npm run fit -- DATA_FOLDER`: everything that stands on top of trained experts, into their manifests: the calibration of the encoder by head and kind, static
 * weights by kind, temperatures after fusion, and the reliability diagrams of both. The same data and artifacts give the same bytes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import { fusionFolder } from '../allocator/calibration.ts'
import { softmax } from '../experts/probabilities.ts'
import { type Corpus, readCorpus } from './corpus.ts'
import type { EncoderRow, FittedEncoder } from './fit-encoder.ts'
import { fitFusion } from './fit-fusion.ts'
import type { FusedContext } from './held-out-fusion.ts'
import { encoder, encoderFolder, judgeRows } from './judged-rows.ts'
import { type Panel, reliabilityDiagram } from './reliability-diagram.ts'
import { saveManifest } from './save-manifest.ts'

program
  .description('Calibrate the encoder, and fit the fusion of all experts.')
  .argument('<data folder>')
  .action(async (folder: string) => fit(readCorpus(folder)))
  .parse()

async function fit(corpus: Corpus): Promise<void> {
  const { rows, encoderRows, fittedEncoder, judged } = await judgeRows(corpus)
  saveManifest(encoderFolder, fittedEncoder.manifest)
  print(encoder, fittedEncoder.manifest.metrics.calibration)
  await saveDiagram(encoderFolder, encoder, encoderPanels(encoderRows, fittedEncoder))

  const fusion = fitFusion(
    judged,
    rows.map(({ example }) => example),
  )
  saveManifest(fusionFolder, fusion.manifest)
  print('fusion', fusion.manifest)
  await saveDiagram(fusionFolder, 'fusion', fusion.contexts.map(fusionPanel))
}

async function saveDiagram(folder: string, name: string, panels: readonly Panel[]): Promise<void> {
  const title = `${name}: accuracy against confidence on held-out rows`
  writeFileSync(join(folder, 'reliability.svg'), await reliabilityDiagram(title, panels))
}

function encoderPanels(rows: readonly EncoderRow[], { heldOut }: FittedEncoder): Panel[] {
  return [...new Set(rows.map(panelTitle))].map((title) => {
    const shown = rows.filter((row) => panelTitle(row) === title)
    const before = shown.map(({ label, logits }) => ({ label, probabilities: softmax(logits) }))
    const after = shown.map((row) => ({
      label: row.label,
      probabilities: heldOut.get(row) ?? [],
    }))
    return { title, stages: { before, after } }
  })
}

function fusionPanel(context: FusedContext): Panel {
  const { average, calibrated } = context
  return { title: panelTitle(context), stages: { before: average, after: calibrated } }
}

function panelTitle({ task, kind }: Pick<EncoderRow, 'task' | 'kind'>): string {
  return `${task}, ${kind}`
}

function print(title: string, value: unknown): void {
  process.stdout.write(`${title}: ${JSON.stringify(value, null, 1)}\n`)
}
