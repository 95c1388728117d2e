/** Loads an encoder's artifact: every byte is the one its manifest names. */
import { join } from 'node:path'
import { AppError } from '../../infra/errors.ts'
import { readWeights } from '../experts/artifact.ts'
import { type EncoderManifest, readEncoderManifest } from '../experts/encoder-artifact.ts'
import { createTokenizer, type Tokenizer } from './tokenizer.ts'

export interface LoadedEncoder {
  readonly folder: string
  readonly manifest: EncoderManifest
  readonly model: Buffer
  readonly tokenizer: Tokenizer
}

/** Throws `MODEL` when a part is missing, cut short, or not the one that the manifest names. */
export function loadEncoder(folder: string): LoadedEncoder {
  const manifest = readEncoderManifest(folder)
  const { model, tokenizer, windowTokens, overlapTokens } = manifest
  if (overlapTokens >= windowTokens - 2)
    throw new AppError(
      'MODEL',
      `The manifest in ${folder} has windows of ${windowTokens} tokens that share ${overlapTokens}: none would get further.`,
    )
  return {
    folder,
    manifest,
    model: readWeights(join(folder, model.file), model.sha256),
    tokenizer: createTokenizer(readWeights(join(folder, tokenizer.file), tokenizer.sha256)),
  }
}
