export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const scripts = {
  bash: `_flowforge() {
  local IFS=$'\\n'
  COMPREPLY=($(flowforge __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _flowforge flowforge`,
  zsh: `#compdef flowforge
_flowforge() {
  local -a found
  found=("\${(@f)$(flowforge __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _flowforge flowforge`,
  fish: `complete -c flowforge -f -a '(flowforge __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
} as const;

/** The script for a shell. It asks \`flowforge __complete\` at each key. */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  return scripts[shell];
}
