/**
 * `npm run fit -- DATA_FOLDER`: everything that stands on top of trained experts, into their manifests: the calibration of the encoder by head and kind, static
 * weights by kind, temperatures after fusion, and the reliability diagrams of both. The same data and artifacts give the same bytes.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import { fusionFolder } from '../allocator/calibration.ts'
import { readEncoderManifest } from '../experts/encoder-artifact.ts'
import { softmax } from '../experts/probabilities.ts'
import { encoderFolders } from '../experts/registry.ts'
import type { Judged } from '../fitting/judged.ts'
import { type Corpus, readCorpus } from './corpus.ts'
import { outOfFoldFile, readLogits, readOutOfFold } from './encoder-logits.ts'
import { opinionsOfSimpleExperts } from './expert-opinions.ts'
import { type EncoderRow, type FittedEncoder, fitEncoder } from './fit-encoder.ts'
import { fitFusion } from './fit-fusion.ts'
import { type FitRow, fitRows } from './fit-rows.ts'
import type { FusedContext } from './held-out-fusion.ts'
import { type Panel, reliabilityDiagram } from './reliability-diagram.ts'
import { saveManifest } from './save-manifest.ts'

const encoder = 'minilm'
const encoderFolder = encoderFolders[encoder]

program
  .description('Calibrate the encoder, and fit the fusion of all experts.')
  .argument('<data folder>')
  .action(async (folder: string) => fit(readCorpus(folder)))
  .parse()

async function fit(corpus: Corpus): Promise<void> {
  const rows = fitRows(corpus)
  const encoderRows = await encoderRowsOf(rows, corpus)
  const fittedEncoder = fitEncoder(readEncoderManifest(encoderFolder), encoderRows)
  saveManifest(encoderFolder, fittedEncoder.manifest)
  print(encoder, fittedEncoder.manifest.metrics.calibration)
  await saveDiagram(encoderFolder, encoder, encoderPanels(encoderRows, fittedEncoder))

  const simple = await opinionsOfSimpleExperts(rows, corpus)
  const judged = encoderRows.map((row, i): Judged => {
    const heldOut = fittedEncoder.heldOut.get(row) ?? []
    return { ...row, opinions: { ...simple[i], [encoder]: heldOut } }
  })
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

/** News by the artifact as it is served; comments by models that saw neither them nor near-duplicates of them. */
async function encoderRowsOf(rows: readonly FitRow[], corpus: Corpus): Promise<EncoderRow[]> {
  const outOfFold = readOutOfFold(outOfFoldFile(encoder), corpus.commentFolds)
  const news = rows.filter(({ example }) => example.kind === 'news')
  const readings = await readLogits(
    encoderFolder,
    news.map(({ example }) => example.text),
  )
  const served = new Map(news.map((row, i) => [row, readings[i]?.[row.task]]))
  return rows.map((row) => {
    const { task, example, fold, cluster } = row
    const logits = example.kind === 'news' ? served.get(row) : outOfFold.get(example.id)
    if (logits === undefined) throw new RangeError(`${encoder} says nothing of ${example.id}`)
    return { task, kind: example.kind, label: example[task], fold, cluster, logits }
  })
}

function print(title: string, value: unknown): void {
  process.stdout.write(`${title}: ${JSON.stringify(value, null, 1)}\n`)
}
