package store

// Code is a kind of finding: one word for scripts.
type Code string

// The kinds of findings. What they mean stands below.
const (
	StoreMissing     Code = "store-missing"
	StoreUnreadable  Code = "store-unreadable"
	RecordMissing    Code = "record-missing"
	RecordUnreadable Code = "record-unreadable"
	RecordPayload    Code = "record-payload"
	RecordNewer      Code = "record-newer"
	RecordSignature  Code = "record-signature"
	RecordChain      Code = "record-chain"
	RecordCluster    Code = "record-cluster"
	RecordTime       Code = "record-time"
	RecordTwice      Code = "record-twice"
	RecordManifest   Code = "record-manifest"
	LogName          Code = "log-name"
	BytesPlainOnly   Code = "bytes-plain-only"
	BytesGone        Code = "bytes-gone"
	HeadMissing      Code = "head-missing"
	HeadUnreadable   Code = "head-unreadable"
	HeadNewer        Code = "head-newer"
	HeadBehind       Code = "head-behind"
	HeadAhead        Code = "head-ahead"
	HeadOther        Code = "head-other"
	HeadCluster      Code = "head-cluster"
	HeadManifest     Code = "head-manifest"
	FileForeign      Code = "file-foreign"
	FileMissing      Code = "file-missing"
	FileUnfinished   Code = "file-unfinished"
	FileStale        Code = "file-stale"
	FileUnseen       Code = "file-unseen"
	FileRefused      Code = "file-refused"
	ConfigMissing    Code = "config-missing"
	ReleaseMissing   Code = "release-missing"
	ReleaseOther     Code = "release-other"
	ReleaseStray     Code = "release-stray"
	ReleaseForm      Code = "release-unreadable" // found by package stateroom, as the next three
	BundleMissing    Code = "bundle-missing"
	BundleDamaged    Code = "bundle-damaged"
	ReportForm       Code = "report-unreadable"
	KeyMissing       Code = "key-missing"
	KeyUnreadable    Code = "key-unreadable"
	DraftUnreadable  Code = "draft-unreadable"
	DraftChain       Code = "draft-chain"
	LeaseLeft        Code = "lease-left"
	CheckLeft        Code = "check-left"
	TmpLeft          Code = "tmp-left"
	TmpRecorded      Code = "tmp-recorded"
	TmpKept          Code = "tmp-kept"
	ObjectStray      Code = "object-stray"
	ObjectConfig     Code = "object-config"
)

type meaning struct{ means, mend, advice string }

const (
	voids    = "if no copy of the store has it: stateroom store fsck --repair --void N --name CLUSTER"
	rebuilds = "the head is made again from the log"
	updates  = "it is finished"
)

var meanings = map[Code]meaning{
	StoreMissing:     {"the store has lost its id; clusters and histories are not touched by that", "a new id is given", ""},
	StoreUnreadable:  {"no command can open the store", "a new id is given", ""},
	RecordMissing:    {"a commit is gone, and with it what only it held; writers may stop here", "", voids},
	RecordUnreadable: {"a commit cannot be read, and what only it held is lost; writers may stop here", "", voids},
	RecordPayload:    {"bytes in a commit are not those that it names, and the right ones are elsewhere in the store", "they are put back", ""},
	RecordNewer:      {"a newer version wrote it; this one cannot check the history", "", "upgrade stateroom"},
	RecordSignature:  {"nobody vouches for this commit", "", voids},
	RecordChain:      {"this commit was made on another history: one of the two was replaced", "", voids},
	RecordCluster:    {"this history was copied from another cluster", "", "a copied cluster must keep its name"},
	RecordTime:       {"times run backwards here, so that a commit asked for by time may be another", "", ""},
	RecordTwice:      {"one change was committed twice", "", "compare the two with stateroom show"},
	RecordManifest:   {"the list of files in this commit does not follow from the one before", "", "compare the two with stateroom diff"},
	LogName:          {"an object among the commits that is none; git fast-import of the log would trip over it", "what is a copy of a commit is removed", "move it out of the store"},
	BytesPlainOnly:   {"the newest state of a file is in no commit, and would be lost with the plain file", "a commit takes it up again", ""},
	BytesGone:        {"the newest state of a file is nowhere any more", "", "stateroom log and stateroom show find an older one; or write the file anew"},
	HeadMissing:      {"reads are slower until a writer makes it again", rebuilds, ""},
	HeadUnreadable:   {"reads are slower until a writer makes it again", rebuilds, ""},
	HeadNewer:        {"a newer version wrote it", "", "upgrade stateroom"},
	HeadBehind:       {"a writer stopped half-way, or is still at it; its commit stands", updates, ""},
	HeadAhead:        {"commits are missing that the head knows of: the store was copied while it was written to; nothing can be written", "their numbers are filled with void records, and files that differ become imports", "better: copy the store again"},
	HeadOther:        {"the head and the log are of two histories; nothing can be written", rebuilds, ""},
	HeadCluster:      {"the head belongs to another cluster", rebuilds, ""},
	HeadManifest:     {"the head lists other files than its commit", rebuilds, ""},
	FileForeign:      {"another tool wrote it, or it was damaged", "it is imported: a commit keeps it, and stateroom rollback goes back", ""},
	FileMissing:      {"another tool deleted it", "that is imported: stateroom rollback goes back", ""},
	FileUnfinished:   {"committed and not written out yet", updates, ""},
	FileStale:        {"a late write of an older commit stands there", "the newest commit's bytes are put back", ""},
	FileUnseen:       {"it was changed without a new version: writers do not notice", "the head is made again, and the change imported", ""},
	FileRefused:      {"it is in no commit: git cannot hold such a name, or it is too large", "", "rename or remove it"},
	ConfigMissing:    {"the cluster has lost its document while other files are there", "", "stateroom rollback CLUSTER --to head, or stateroom delete cluster"},
	ReleaseMissing:   {"hosts get no release", "it is put back from the commit", ""},
	ReleaseOther:     {"hosts follow something that was not released here", "the commit's release is put back", ""},
	ReleaseStray:     {"hosts follow something that is not released any more", "what an older commit released is removed", "look at it, and remove it"},
	ReleaseForm:      {"the newest commit carries a release that hosts refuse", "", "stateroom update cluster CLUSTER --yes releases anew"},
	BundleMissing:    {"hosts of this group cannot get what is released", "it is made again from the commit, where that gives the very same bytes", "stateroom edit, then stateroom update cluster CLUSTER --yes releases anew"},
	BundleDamaged:    {"hosts of this group refuse what they get", "it is made again from the commit, where that gives the very same bytes", "stateroom edit, then stateroom update cluster CLUSTER --yes releases anew"},
	ReportForm:       {"how this host is cannot be told", "", "its agent writes a new one; where the host is gone: stateroom store gc"},
	KeyMissing:       {"digests of secrets cannot be checked, only compared with the commits' bytes", "", "put it back from a copy of the store; a new key is made with the next secret"},
	KeyUnreadable:    {"nothing can be written while it is there", "it is moved aside, and a new key is made with the next secret", ""},
	DraftUnreadable:  {"nobody can go on with this draft, nor publish it; the cluster is not touched by that", "", "write it anew under another name; stateroom show and stateroom diff read what older commits of it hold"},
	DraftChain:       {"this draft was copied, or the history that it goes off was replaced", "", "write it anew under another name"},
	LeaseLeft:        {"a lease from when it was an object of its own; nothing reads it, it stands in the head now", "it is removed", ""},
	CheckLeft:        {"a check of the service was cut off before it could clean up; nothing reads it", "it is removed", ""},
	TmpLeft:          {"a crash on this disk; the next write puts it right", "it is put right", ""},
	TmpRecorded:      {"nothing is lost: it is a second copy", "it is removed", ""},
	TmpKept:          {"the only copy of somebody's edit", "", "look at it, take up what is wanted, and remove the file"},
	ObjectStray:      {"an object that Stateroom does not know", "", "a newer version may have written it; else remove it"},
	ObjectConfig:     {"kops takes it for a cluster", "", "remove it"},
}
