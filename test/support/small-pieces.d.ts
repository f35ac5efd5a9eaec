import type { Io } from '../../src/commands/options.ts';

export function runInPieces(argv: readonly string[], io: Io, pieceBytes?: number): Promise<number>;
