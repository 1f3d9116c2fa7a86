/**
 * The shells that can complete, as the command table names them.
 *
 * @module
 */

/** The shells, by the names that `ccsync completions` takes. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** A shell that can complete. */
export type Shell = (typeof SHELLS)[number];

/** How each shell is told, for `ccsync completions --help`. */
export const INSTALLATION = `
For the shells that are started from now on:
  bash        echo 'eval "$(ccsync completions bash)"' >> ~/.bashrc
  zsh         echo 'source <(ccsync completions zsh)' >> ~/.zshrc
              (after compinit; or write it to a file _ccsync in a directory of $fpath)
  fish        ccsync completions fish > ~/.config/fish/completions/ccsync.fish
  powershell  Add-Content $PROFILE 'ccsync completions powershell | Out-String | Invoke-Expression'`;
