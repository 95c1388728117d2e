/**
 * The tokenizer of an encoder's artifact. `@huggingface/tokenizers` gives the ids of the training's tokenizer on all our real texts, as fast as the
 * native package and in a hundredth of its size (docs/decisions/0053).
 */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { AppError, describeError } from '../../infra/errors.ts'

export interface Tokenizer {
  /** Ids of a cleaned text without the special ones; any string has some, or none. */
  tokenize(text: string): readonly number[]
  /** [CLS]: the first of every window. */
  readonly opening: number
  /** [SEP]: the last of every window. */
  readonly closing: number
}

/** From the bytes of a tokenizer.json. Throws `MODEL` when they are not one that puts a window between two special tokens. */
export function createTokenizer(json: Buffer): Tokenizer {
  let tokenizer: HuggingFaceTokenizer
  let empty: readonly number[]
  try {
    tokenizer = new HuggingFaceTokenizer(JSON.parse(json.toString('utf8')), {})
    empty = tokenizer.encode('').ids
  } catch (cause) {
    throw new AppError('MODEL', `The tokenizer cannot be used: ${describeError(cause)}`, { cause })
  }
  const [opening, closing] = empty
  if (opening === undefined || closing === undefined || empty.length !== 2)
    throw new AppError('MODEL', 'The tokenizer does not put a text between two special tokens.')
  return {
    // Half a surrogate pair is no character: the training's tokenizer never sees one.
    tokenize: (text) => tokenizer.encode(text.toWellFormed(), { add_special_tokens: false }).ids,
    opening,
    closing,
  }
}
