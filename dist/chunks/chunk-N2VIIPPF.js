import { createRequire as decoyCreateRequire } from 'node:module'; import { fileURLToPath as decoyFileURLToPath } from 'node:url'; const require = decoyCreateRequire(import.meta.url); const __filename = decoyFileURLToPath(import.meta.url); const __dirname = decoyFileURLToPath(new URL('.', import.meta.url));
import{ownedPrefix}from"./chunk-UPYDHFMR.js";import{execFile}from"node:child_process";import fs from"node:fs/promises";var SCRIPT=`
set -eu
file=$1 pid=$2 before=$3 after=$4
exec 9>/run/decoy-engine-configuration.lock
flock -w 30 9
if [ -e "$file" ]; then cmp -s "$file" "$before" || exit 75; elif [ -s "$before" ]; then exit 75; fi
[ "$(cat "/proc/$pid/comm")" = dockerd ]
if [ -s "$after" ]; then
	mkdir -p "$(dirname "$file")"
	new=$(mktemp "$file.XXXXXX")
	if [ -e "$file" ]; then cp -p "$file" "$new"; else chmod 644 "$new"; fi
	cat "$after" >"$new"
	mv -f "$new" "$file"
else
	rm -f "$file"
fi
kill -HUP "$pid"
`,CHANGED=75;async function rootPrefix(){return process.getuid?.()===0?[]:(await run(["sudo","-n","true"])).code===0?["sudo","-n"]:null}async function replaceAsRoot(prefix,{file,pid,before,after}){let folder=await fs.mkdtemp(ownedPrefix("engine"));try{await Promise.all([fs.writeFile(`${folder}/before`,before??""),fs.writeFile(`${folder}/after`,after??"")]);let{code,stderr}=await run([...prefix,"sh","-c",SCRIPT,"sh",file,String(pid),`${folder}/before`,`${folder}/after`]);if(code!==0&&code!==CHANGED)throw new Error(stderr.trim()||`exit code ${code}`);return code===0}finally{await fs.rm(folder,{recursive:!0,force:!0})}}function run([program="",...args]){return new Promise(done=>{execFile(program,args,{timeout:6e4},(error,_,stderr)=>done({code:error===null?0:typeof error.code=="number"?error.code:-1,stderr:stderr||(error?.message??"")}))})}var RUNSC_ARGUMENTS=["--network=host","--host-uds=none","--host-fifo=none","--overlay2=none"],HARMFUL=[[/^host-uds=(?!none$)/,"lets the sandbox use Unix sockets of the host"],[/^fsgofer-host-uds(=(?!false$)|$)/,"lets the sandbox use Unix sockets of the host"],[/^host-fifo=(?!none$)/,"lets the sandbox use named pipes of the host"],[/^ignore-cgroups(=(?!false$)|$)/,"takes the caps away"],[/^overlay2=(?!none$|root:)/,"keeps what is written away from the capped disk"],[/^overlay(=(?!false$)|$)/,"keeps what is written away from the capped disk"],[/^allow-flag-override(=(?!false$)|$)/,"lets a container choose its arguments"],[/^TESTONLY-unsafe-nonroot(=(?!false$)|$)/,"takes the isolation away"],[/^profile(=(?!false$)|$)/,"loosens gVisor's own filter"]];function findHarmfulArguments(given){let flags=joinValues(given);return[...flags.findLast(flag=>flag.startsWith("network="))==="network=host"?[]:["`--network=host` is missing, so the sandbox would have a network of its own"],...flags.flatMap(flag=>HARMFUL.filter(([pattern])=>pattern.test(flag)).map(([,reason])=>`\`--${flag}\` ${reason}`))]}function joinValues(given){let flags=[];for(let word of given)word.startsWith("-")?flags.push(word.replace(/^--?/,"")):flags.length>0&&flags.push(`${flags.pop()}=${word}`);return flags}export{rootPrefix,replaceAsRoot,RUNSC_ARGUMENTS,findHarmfulArguments};
