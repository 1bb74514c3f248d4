export const USAGE = `decoy runs code you do not trust without giving it a single real credential.

  decoy run [options] -- COMMAND…    run a command in the capped container
  decoy run [options] --script FILE  run a script
  decoy demo                         see what it does, in ten seconds
  decoy check [--allow RULE]… URL    would these rules allow this URL, and why
  decoy clean [--run ID] [--images]  remove what a killed run left behind

Options of run
  --allow RULE             [METHOD[,METHOD…] ]host | *.host | **.host [:port] [/path/**]; repeat
  --secret NAME@host[,…]   the value of Decoy's environment variable NAME may go to these hosts; repeat
  --env NAME=value         a variable, not secret; repeat
  --resolve host:port:address[:port]   dial this address, even a private one; repeat
  --timeout 30m            at most 30m
  --memory 4g  --cpus 2  --storage 10g  --pids 2048   hard caps
  --workspace copy         copy (changes come out as a patch), read-only or none
  --working-directory DIR  where the command starts
  --user runner            runner or root (in-container root with few capabilities)
  --shell bash             for --script: bash, sh, python, node, or a line with {0}
  --fail-on-blocked        fail when something was blocked
  --report FILE  --audit-log FILE  --patch FILE   what to write
  --quiet                  no summary after success

Exit codes: the command's own; 124 timeout; 125 Decoy or its configuration failed; 137 out of memory; 130, 143 cancelled.
`;
