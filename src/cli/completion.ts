/** `featurectl completion`: scripts for shells, made from the commands that the program has. */
import { Argument, type Command, type Option } from 'commander';
import type { Io } from '../commands/options.ts';

type Shell = 'bash' | 'zsh' | 'fish';

const EXAMPLES = `
Examples (to have it in every shell):
  bash   featurectl completion bash > ~/.local/share/bash-completion/completions/featurectl
  zsh    featurectl completion zsh > "\${fpath[1]}/_featurectl"
  fish   featurectl completion fish > ~/.config/fish/completions/featurectl.fish
`;

/** To be called when the program has all its other commands. */
export function addCompletion(program: Command, io: Io): void {
  program
    .command('completion')
    .description('Print what makes a shell complete commands, options, their values and files.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => void io.stdout.write(completionScript(program, shell)));
}

export function completionScript(program: Command, shell: Shell): string {
  const makers = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return makers[shell](program.commands.map(describeCommand));
}

/** What may stand as a value: one of these words, a file, or anything. */
type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' | 'any' };

interface ShownCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly ShownOption[];
  /** Of its arguments, of which all are alike. */
  readonly argument: Values;
}

interface ShownOption {
  readonly flags: readonly string[];
  readonly about: string;
  /** Null: it takes none. */
  readonly values: Values | null;
}

function describeCommand(command: Command): ShownCommand {
  const help: ShownOption = { flags: ['-h', '--help'], about: 'show the help of the command', values: null };
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    about: firstSentence(command.description()),
    options: [...command.options.filter((option) => !option.hidden).map(describeOption), help],
    argument: argument ? valuesOf(argument.argChoices, argument.name()) : { kind: 'any' },
  };
}

function describeOption(option: Option): ShownOption {
  const takes = option.required || option.optional;
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    about: option.description,
    values: takes ? valuesOf(option.argChoices, /[<[]([^>\].]*)/.exec(option.flags)?.[1] ?? '') : null,
  };
}

/** What a value is, by its name in the grammar. */
function valuesOf(choices: readonly string[] | undefined, name: string): Values {
  if (choices) return { kind: 'words', words: choices };
  return /^(?:source|file|dir|path)s?\b/.test(name) ? { kind: 'files' } : { kind: 'any' };
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}

/** For bash 3.2 and later: macOS has no newer one. Words are parted by line ends, so that names may hold spaces. */
function bashScript(commands: readonly ShownCommand[]): string {
  const words = (list: readonly string[]): string => `compgen -W ${ansi(list.join('\n'))} -- "$cur"`;
  const reply = (values: Values): string => {
    if (values.kind === 'any') return 'return';
    const make = values.kind === 'words' ? words(values.words) : 'compgen -f -- "$cur"';
    const files = values.kind === 'files' ? 'compopt -o filenames 2>/dev/null; ' : '';
    return `${files}COMPREPLY=($(${make})); return`;
  };
  const cases = commands.map(({ name, options, argument }) => {
    const valued = options.flatMap(({ flags, values }) =>
      values ? [`      ${flags.join('|')}) ${reply(values)} ;;`] : [],
    );
    const all = options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--')));
    return `  ${name})
    case $prev in
${valued.join('\n')}
      *) ;;
    esac
    if [[ $cur == -* ]]; then COMPREPLY=($(${words(all)})); return; fi
    ${reply(argument)} ;;`;
  });
  const first = [...commands.map(({ name }) => name), '--help', '--version'];
  return `# bash completion of featurectl; made by "featurectl completion bash"
_featurectl() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(${words(first)})); return; fi
  # bash takes --mode=merge for three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
}
complete -F _featurectl featurectl
`;
}

/** $'…', in which a line end can stand. */
function ansi(text: string): string {
  return `$'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

function zshScript(commands: readonly ShownCommand[]): string {
  const action = (values: Values): string => {
    if (values.kind === 'words') return `(${values.words.join(' ')})`;
    return values.kind === 'files' ? '_files' : ' ';
  };
  const about = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');
  const spec = ({ flags, about: text, values }: ShownOption): string => {
    const tail = `[${about(text)}]${values ? `:value:${action(values)}` : ''}`;
    // Each may be given once, by either name.
    const group = flags.length > 1 ? `${quote(`(${flags.join(' ')})`)}{${flags.join(',')}}` : `${flags[0]}`;
    return `${group}${quote(tail)}`;
  };
  const cases = commands.map(({ name, options, argument }) => {
    const specs = [...options.map(spec), quote(`*:argument:${action(argument)}`)];
    return `    ${name})\n      _arguments \\\n        ${specs.join(' \\\n        ')} ;;`;
  });
  const list = commands.map(({ name, about: text }) => `    ${quote(`${name}:${about(text)}`)}`);
  return `#compdef featurectl
# zsh completion of featurectl; made by "featurectl completion zsh"
_featurectl() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _featurectl ]; then _featurectl "$@"; else compdef _featurectl featurectl; fi
`;
}

function fishScript(commands: readonly ShownCommand[]): string {
  const lines = commands.flatMap(({ name, about, options, argument }) => {
    const when = `-n '__fish_seen_subcommand_from ${name}'`;
    const values = (found: Values | null): string => {
      if (found === null) return '';
      if (found.kind === 'words') return ` -x -a ${fishQuote(found.words.join(' '))}`;
      return found.kind === 'files' ? ' -r -F' : ' -x';
    };
    const ofOptions = options.map(({ flags, about: text, values: found }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `complete -c featurectl ${when} ${names.join(' ')}${values(found)} -d ${fishQuote(text)}`;
    });
    const ofArgument =
      argument.kind === 'files'
        ? [`complete -c featurectl ${when} -F`]
        : argument.kind === 'words'
          ? [`complete -c featurectl ${when} -a ${fishQuote(argument.words.join(' '))}`]
          : [];
    const itself = `complete -c featurectl -n __fish_use_subcommand -a ${name} -d ${fishQuote(about)}`;
    return [itself, ...ofOptions, ...ofArgument];
  });
  return `# fish completion of featurectl; made by "featurectl completion fish"
complete -c featurectl -f
complete -c featurectl -n __fish_use_subcommand -l version -d 'show the version'
${lines.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
