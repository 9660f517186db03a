"""Words of ours, from which mail is written: names, places, nouns, verbs and the rest.

Enough of them that two letters about nothing in particular have little in common.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words("""
ada agnes albert alma amir andrea anne anton asta bart beate bella bernd birgit boris
carla cem chiara clara claude daria david dora edith elena elif emil erik esra eva
farid felix fiona frank frida gerd gina greta hanna hans heidi hugo ida igor ilse ines
ivan jana jens joana jonas judith kai karin klara kofi lars laura lea leo lina louis
lucia luis mara marco maria marta max mehmet mia milan mina nadia nele nils nora olaf
olga omar oscar paula pavel petra philip rania rita robin rosa ruth samir sara selma
silke simon sofia stefan sven tamar tanja theo tilda timo tomas ulla urs vera viktor
walter wanda xenia yara yusuf zoe
""")

LAST_NAMES = _words("""
abel adler albers arslan baker bauer becker bergman blum bosch brandt braun bruno
carter castro chen clarke cohen conti costa dahl demir diaz dietz dubois eckert ekman
engel ernst evans falk farkas ferrari fischer fontaine frank fuchs garcia geiger giese
graf greco haas hansen hartmann hoffman horvat huber ibsen jansen jensen kaiser keller
kim klein kovacs kraus kruger lang larsen lehmann lindgren lopez lorenz maier marino
martin meyer miller moreau moser nagy neumann nguyen novak olsen ott park petit pohl
popov quist ramos reed richter ricci rossi roth russo santos sauer schmid schulz
seidel silva simon sommer stein tanaka thomsen toth unger vogel voss wagner weber
winter wolff yilmaz young zeller ziegler
""")

TOWNS = _words("""
aldham ashford barlow bexley borough brookfield calder clayton dalby denholm elmstead
farnley fenwick garston glenmore hadley harwell hensham ingleby kelby kingsway
langport larkhill maplewood marston merton millbank newbury norwood oakley orford
pembury penrith radley ravensby redhill sandwick selby shelford southam stanhope
thornby tilbury upton walden westbrook whitby wickham wingfield wooler yarrow
""")

NOUNS = _words("""
account address afternoon agenda alarm album animal apartment apple apron archive arm
attic aunt autumn bag bakery balcony ball band bank basement basket bath battery beach
bean bed bee bell bench bicycle bill bird birthday blanket board boat boiler bolt book
boot bottle bowl box branch bread bridge brother brush bucket budget building bus
button cabin cabinet cable cake calendar camera candle canteen carpet carrot cat cause
ceiling cellar chain chair chapel chapter charger cheese cherry child chimney choir
church cinema circle clerk clock cloth cloud coach coast coat coffee colleague column
committee compost computer concert contract cook corner costume cottage counter
country couple court cousin cow cream crossing crowd cup cupboard curtain cushion
customer dance date daughter deadline delay delivery dentist desk detail dinner
diploma direction dish doctor document dog donkey door draft drawer dream dress driver
drum duck dust editor egg elbow elevator engine entrance envelope error evening exam
example exhibition factory family farm feather fence ferry festival field figure file
film finger fire fish flag flat flood floor flour flower folder food foot forest fork
form fountain fox frame freezer friend frost fruit funnel furniture garage garden gate
ghost gift glass glove goat grandmother grass guest guitar habit hall hammer handle
harbour harvest hat health heater hedge height helmet herb hill hinge hobby hole
holiday honey hook horse hospital hotel hour house idea ink insurance interview
invoice iron island jacket jam jar job joke journey juice junction kettle keyboard
kitchen kite knee knife label ladder lake lamp landlord language lantern laundry lawn
lawyer leaf leak lemon lesson letter level library lid light lily line list lock log
luck luggage lunch machine magazine manager map market mat match meadow meal measure
medicine meeting melon menu message metal method milk mill minute mirror mistake
mistress mixer model moment month moon motor mountain mouse museum music mustard nail
neighbour nephew nest net newspaper night noise note notebook number nurse oak oar
office oil olive onion opera orange orchard order oven owner oyster page pain paint
pair palace pan paper parcel parent park parking partner party path patient pattern
pavement peach pear pencil pepper permit photo piano picnic picture pie pillow pipe
place plan plane plant plate player plum pocket poem police pond pool post poster pot
potato powder present price print prize problem programme project proof pump pupil
puppet puzzle quarter question queue quilt rabbit radiator radio rail rain raincoat
reader reason receipt recipe record refund rehearsal relative rent repair reply report
rice ring river road roof room root rope rose row rubbish rule sail salad salt sand
sauce saw scarf scene schedule school scissors score screen screw sea season seat
secret seed sentence series sewing shadow shed sheep shelf shell ship shirt shoe shop
shore shoulder shower signal silk singer sink sister skirt sleeve slice snow soap sock
sofa soil son song soup space spade spoon spring stable staff stage stairs stamp star
station statue steam step stick stone storage storm story stove strap straw street
string student suit suitcase summer sun supper surprise sweater switch table tailor
tap task taste tax tea teacher team tent test theatre thread ticket tide tile
timetable tin tool tooth towel tower town toy tractor train translation tray tree trip
trousers truck trumpet tunnel tutor umbrella uncle uniform valley van vase village
vine violin visit visitor voice vote wagon waiter walk wall wallet wardrobe warehouse
watch water wave weather wedding week weight well wheel whistle wind window wine
winter wire witness wood wool workshop yard year
""")

ADJECTIVES = _words("""
able afraid ancient angry bitter black blank blue blunt brave brief bright broad
broken brown busy calm careful cheap clean clear clever cloudy cold common correct
crooked crowded curious damp dark dear deep dirty double dry dusty eager early easy
empty equal exact expensive faint fair familiar famous far fast final fine firm flat
foggy foreign fragile free fresh full funny generous gentle glad golden good grateful
green grey happy hard harmless heavy helpful hidden high hollow honest hot huge hungry
icy ill jolly keen kind large last late lazy light little local lonely long loose loud
lovely low lucky mad main mild missing modern narrow neat nervous new nice noisy odd
old open ordinary patient plain pleasant polite poor pretty private proud public
purple quick quiet rare raw ready real red rich ripe rough round rusty safe salty
second serious sharp shiny short shy silent simple slippery slow small smooth soft
solid sore sour spare square stale steep stiff strange strict strong sudden sunny
sweet tall tidy tight tiny tired tough true ugly unusual useful usual vague valid
violet warm weak wet white whole wide wild wise wooden wrong yellow young
""")

VERBS = _words("""
accept add admire allow answer apply arrange ask attach bake book borrow break bring
build buy call carry change check choose clean climb collect compare complain copy
count cover cut deliver describe discuss divide draw drop dry empty enjoy enter
exchange explain feed fetch fill find finish fix fold follow forget forgive forward
gather grow handle hang hear help hide hire hold improve include invite join keep
knock learn lend lift like load lock lose love manage measure meet mend mention mind
miss mix move need notice offer open order organise pack paint park pass pay phone
pick plan plant play polish postpone pour prepare present print promise pull push put
reach read recommend record remember remind remove rent repair repeat replace reply
report rescue reserve return ring save scrub search see sell send share shift show
sign sort spend start steer store study suggest taste teach tell test thank throw
touch translate trust try turn use visit wait wash watch water weigh welcome wrap
write
""")

COMPANIES = _words("""
acorn alder amber anchor apex arbor atlas aurora basalt beacon birch breeze cedar
cobalt comet copper coral crest delta dune ember falcon fern flint gale granite grove
harbor hazel heron indigo iris ivory jade jasper juniper kestrel lagoon lark laurel
linden lotus lunar maple marble meadow mistral nimbus nova oakley onyx opal orbit
orchid osprey pearl pine pixel plaza prism quartz raven reef ridge river robin sable
sage sierra slate solar sparrow spruce summit swift tern thistle tidal topaz tulip
vela vertex violet willow zephyr
""")
