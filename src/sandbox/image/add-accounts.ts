import { userHome, userName, type SandboxUser } from '../runner-files/accounts.ts';

export type Accounts = { passwd: string; group: string; /** the user's name, as the image or else the added line has it */ name: string };

/** The image's own accounts, with a line for root and for the sandbox's user where it has none for their numbers. */
export function addAccounts(image: { passwd: string; group: string }, user: SandboxUser): Accounts {
  const taken = [...fields(image.passwd), ...fields(image.group)].map(({ name }) => name);
  // Two accounts of one name would be mistaken for each other.
  const added = [
    { name: 'root', uid: 0, gid: 0, home: '/root' },
    { name: taken.includes(userName) ? `decoy-${userName}` : userName, ...user, home: userHome },
  ];
  const passwd = added.reduce((text, { name, uid, gid, home }) => addLine(text, { id: uid, line: `${name}:x:${uid}:${gid}::${home}:/bin/sh` }), image.passwd);
  const group = added.reduce((text, { name, gid }) => addLine(text, { id: gid, line: `${name}:x:${gid}:` }), image.group);
  return { passwd, group, name: fields(passwd).find(({ id }) => id === user.uid)?.name as string };
}

function addLine(text: string, { id, line }: { id: number; line: string }): string {
  if (fields(text).some((field) => field.id === id)) return text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}

/** In both files the name comes first and the number third. */
function fields(text: string): { name: string; id: number }[] {
  return text.split('\n').map((line) => line.split(':')).filter((parts) => parts.length >= 3 && /^\d+$/.test(parts[2] as string))
    .map(([name, , id]) => ({ name: name as string, id: Number(id) }));
}
