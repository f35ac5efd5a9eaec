/** Frames that the zstd program made (its options in the name), since Node 20 can make none. */

export const LONG = Array.from({ length: 20_000 }, (_, i) => `${i % 50},value-${i % 7}\n`).join('');
export const SHORT = Array.from({ length: 60 }, (_, i) => `${i},${(i * 7919) % 1000}\n`).join('');

const FRAMES: readonly (readonly [name: string, text: string, base64: string])[] = [
  [
    'level 19 with a checksum',
    LONG,
    'KLUv/QRojAgARtImFLClkA542WBJqhBC9pZSnoOSs+cEIwAfACAAYTVax21vNhaHa7rz/bNsyEImSJUQSSukbPIyAAIEAwEFgwmLwzXd+f55iFBU7hkVDa1SW3a900HBwCKxJMc5HBML8xChqNwzKhpapbbseqeDgoFFYkmOczgmFlajddz2ZiNF5Z6ick9Ruaeo3FNU7ikq9xSVe4rKLcuyLMuy/AGAr6gQcHu2A5AXlFwDEGYE7gPAxqaj09gsZuyMn9/n9/P7+X5+P7/PL/5B0lWKl8U8NimlLoXpTYuTbrzpKb150XMLlaed3lSmRXU+KUpdiulNI8Z7dONNT+nNixbqpznddKYuJRQVsLBgYWHDwlLYBTYFpAMAA0sSUlTuKSr3FJV7iso9ReWeonJPUbmnqNxTVO4pKvcUlXuKyj1F5Z6ick9Ruaeo3FNU7ikq9xSVe4rKPUXlnqJyT1G5p6jcU1TuCYCvqBDwB+D3MxJYi7////9vOfHH3hzzVmlHSwjZrd8h4Qyt0gBhhQhVAAAAAQC9Swv2uQYCsl+ZaA==',
  ],
  [
    'level 19 without a checksum',
    LONG,
    'KLUv/QBojAgARtImFLClkA542WBJqhBC9pZSnoOSs+cEIwAfACAAYTVax21vNhaHa7rz/bNsyEImSJUQSSukbPIyAAIEAwEFgwmLwzXd+f55iFBU7hkVDa1SW3a900HBwCKxJMc5HBML8xChqNwzKhpapbbseqeDgoFFYkmOczgmFlajddz2ZiNF5Z6ick9Ruaeo3FNU7ikq9xSVe4rKLcuyLMuy/AGAr6gQcHu2A5AXlFwDEGYE7gPAxqaj09gsZuyMn9/n9/P7+X5+P7/PL/5B0lWKl8U8NimlLoXpTYuTbrzpKb150XMLlaed3lSmRXU+KUpdiulNI8Z7dONNT+nNixbqpznddKYuJRQVsLBgYWHDwlLYBTYFpAMAA0sSUlTuKSr3FJV7iso9ReWeonJPUbmnqNxTVO4pKvcUlXuKyj1F5Z6ick9Ruaeo3FNU7ikq9xSVe4rKPUXlnqJyT1G5p6jcU1TuCYCvqBDwB+D3MxJYi7////9vOfHH3hzzVmlHSwjZrd8h4Qyt0gBhhQhVAAAAAQC9Swv2uQYC',
  ],
  [
    'a stream without its size',
    LONG,
    'KLUv/QRojAgARtImFLClkA542WBJqhBC9pZSnoOSs+cEIwAfACAAYTVax21vNhaHa7rz/bNsyEImSJUQSSukbPIyAAIEAwEFgwmLwzXd+f55iFBU7hkVDa1SW3a900HBwCKxJMc5HBML8xChqNwzKhpapbbseqeDgoFFYkmOczgmFlajddz2ZiNF5Z6ick9Ruaeo3FNU7ikq9xSVe4rKLcuyLMuy/AGAr6gQcHu2A5AXlFwDEGYE7gPAxqaj09gsZuyMn9/n9/P7+X5+P7/PL/5B0lWKl8U8NimlLoXpTYuTbrzpKb150XMLlaed3lSmRXU+KUpdiulNI8Z7dONNT+nNixbqpznddKYuJRQVsLBgYWHDwlLYBTYFpAMAA0sSUlTuKSr3FJV7iso9ReWeonJPUbmnqNxTVO4pKvcUlXuKyj1F5Z6ick9Ruaeo3FNU7ikq9xSVe4rKPUXlnqJyT1G5p6jcU1TuCYCvqBDwB+D3MxJYi7////9vOfHH3hzzVmlHSwjZrd8h4Qyt0gBhhQhVAAAAAQC9Swv2uQYCsl+ZaA==',
  ],
  [
    'level 1, digits',
    SHORT,
    'KLUv/QRIRQYAJhkxCbA7JIZNnpnkdCwALgAuAGTeqjeJrGPWXMW0aJgHrk04F0xX9BiXGkWmxfFL/L0nFXVYrwpNrMHz1YRCUC8IfeoFQ6oWFFsrOGel4Ov6IL0TLHElaI5G8C7qIJgUgqbpmTGvmRLUMgeqAZd+SDKdYfmVod0bwyuqh0BVGHqsJ4y4mlBawrGS8OReSBMdYYVUhAbTEJ5NLQx0RO8MkNopJq1zaErn5/1JQZ2zoCqnWTXOI6tP+BVOS28Ydm0o59ZwKkrDBwAvWnkx',
  ],
  [
    'level 3 stream, digits',
    SHORT,
    'KLUv/QRYRQYAJhkxCbA7JIZNnpnkdCwALgAuAGTeqjeJrGPWXMW0aJgHrk04F0xX9BiXGkWmxfFL/L0nFXVYrwpNrMHz1YRCUC8IfeoFQ6oWFFsrOGel4Ov6IL0TLHElaI5G8C7qIJgUgqbpmTGvmRLUMgeqAZd+SDKdYfmVod0bwyuqh0BVGHqsJ4y4mlBawrGS8OReSBMdYYVUhAbTEJ5NLQx0RO8MkNopJq1zaErn5/1JQZ2zoCqnWTXOI6tP+BVOS28Ydm0o59ZwKkrDBwAvWnkx',
  ],
];

export const ZSTD_FRAMES = FRAMES.map(([name, text, base64]) => ({
  name,
  text,
  bytes: Buffer.from(base64, 'base64'),
}));

/** A frame of one compressed block. */
function blockFrame(...content: number[]): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(content.length * 8 + 2 * 2 + 1, 0, 3);
  return Buffer.concat([Buffer.from('28b52ffd0050', 'hex'), header, Buffer.from(content)]);
}

/** Blocks that fzstd decodes for ever, or for minutes. */
export const HOSTILE_FRAMES: readonly (readonly [name: string, bytes: Buffer])[] = [
  // Literals by a Huffman tree, whose weights are by an FSE table in which one symbol has every state: no bit is used.
  [
    'weights of one symbol',
    blockFrame(0x02 | (4 << 4), 0x00 | (2 << 6), 0x02, 4, 0xf0, 0x03, 0xff, 0xff, 1, 1, 0),
  ],
  // No literals; 98,047 sequences, each of them a match of 65,539 bytes or more: all three tables are of one symbol.
  ['matches beyond the block', blockFrame(0x00, 0xff, 0xff, 0xff, 0x54, 0, 0, 52, 0xff, 0xff, 0xff)],
];

/** A frame of raw blocks, of at most 64 bytes each, without a checksum. */
export function rawFrame(text: string): Buffer {
  const data = Buffer.from(text);
  const blocks = Array.from({ length: Math.max(1, Math.ceil(data.length / 64)) }, (_, i) => {
    const part = data.subarray(i * 64, i * 64 + 64);
    const isLast = (i + 1) * 64 >= data.length;
    const header = Buffer.alloc(3);
    header.writeUIntLE(part.length * 8 + (isLast ? 1 : 0), 0, 3);
    return Buffer.concat([header, part]);
  });
  return Buffer.concat([Buffer.from('28b52ffd0000', 'hex'), ...blocks]);
}

export function skippableFrame(length: number): Buffer {
  const head = Buffer.from('5a2a4d1800000000', 'hex');
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, Buffer.alloc(length, 7)]);
}
