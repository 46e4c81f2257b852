// The words and plots of our stories, in a small grammar that stories.cc expands:
//   [a|b|c]   one of the alternatives (they nest; an empty one makes the rest optional);
//   {name}    the rule of that name, chosen once per story and remembered;
//   {!name}   the rule of that name, chosen anew.
// The characters fill {hero}, {kind}, {he}, {him}, {his}, {himself} and {friend}, {friend_kind},
// {friend_he} and so on; {friend_the} says what an animal is ("Otto the fox"). Capitals and the
// choice of a or an come afterwards: write "{he} ate a {food}." here. Say who speaks after a
// quotation that ends in `!` or `?`: there, stories.cc does not begin a sentence.
#pragma once

#include <array>
#include <string_view>

namespace weft {

struct StoryRule {
  std::string_view name;
  std::string_view text;
};

struct StoryCast {
  bool animal;
  std::string_view he, him, his;
  std::string_view kind;
  std::string_view names;  // no name is in two casts
};

inline constexpr std::array kStoryCasts = {
    StoryCast{false, "she", "her", "her", "girl",
              "[Mia|Anna|Rosa|Nora|Ella|Ida|Clara|Lucy|Ruby|Maya|Hana|June|Alice|Vera]"},
    StoryCast{false, "he", "him", "his", "boy",
              "[Tom|Ben|Leo|Max|Finn|Noah|Jack|Omar|Hugo|Theo|Milo|Adam|Emil|Paul]"},
    StoryCast{true, "she", "her", "her",
              "[rabbit|fox|bear|mouse|cat|duck|squirrel|hedgehog|owl|otter|goat|pony]",
              "[Daisy|Hazel|Poppy|Willow|Fern|Honey|Bella|Olive|Tilly|Dotty]"},
    StoryCast{true, "he", "him", "his",
              "[rabbit|fox|bear|mouse|cat|dog|frog|squirrel|hedgehog|turtle|owl|pony]",
              "[Rusty|Barney|Toby|Oscar|Pepper|Bruno|Otto|Pip|Chester|Nutmeg]"},
};

inline constexpr std::array kStoryRules = {
    // Words.
    StoryRule{"elder", "{his} [mother|father|grandmother|grandfather|aunt|uncle]"},
    StoryRule{"color", "[red|blue|green|yellow|white|orange|pink|purple|brown]"},
    StoryRule{"small", "[little|small|young|kind|happy|clever|funny|quiet|curious|brave|eager]"},
    StoryRule{"toy",
              "[ball|drum|wooden boat|toy train|scarf|hat|whistle|top|bell|lantern|"
              "umbrella|cap|mitten|button]"},
    StoryRule{"flyer", "[kite|balloon|paper plane|hat|ribbon]"},
    StoryRule{"food",
              "[pie|cake|apple|orange|sandwich|loaf of bread|bag of nuts|bowl of soup|"
              "basket of berries|pot of honey|pear|piece of cheese]"},
    StoryRule{"fruit", "[apples|berries|nuts|plums|pears|cherries|mushrooms|oranges]"},
    StoryRule{"dish", "[bowl|cup|plate|jar|vase|jug|teapot]"},
    StoryRule{"place", "the [park|forest|garden|beach|river|meadow|farm|pond|market|lake|mill]"},
    StoryRule{"spot",
              "the [old barn|big rock|wooden bridge|tall oak|stone wall|little hill|"
              "round well|empty field]"},
    StoryRule{"trail", "[river|stream|sandy path|stone wall|old fence]"},
    StoryRule{"guide", "[owl|turtle|toad|hedgehog|goose|donkey|crow]"},
    StoryRule{"baby", "[chick|duckling|kitten|lamb|puppy|piglet|bird|calf|owlet]"},
    StoryRule{"bug", "[butterfly|bee|dragonfly|beetle|ladybug|moth]"},
    StoryRule{"flower",
              "[tall sunflower|red rose|little apple tree|big pumpkin|"
              "orange lily|row of sweet peas]"},
    StoryRule{"skill",
              "[swim|ride a bike|whistle|dance|skate|sing|read|climb a tree|paint|"
              "play the drum|tie a knot|bake bread]"},
    StoryRule{"snow_animal", "snow [bear|cat|rabbit|owl|fox|elephant]"},
    StoryRule{"sad", "[sad|very sad|lonely|upset|unhappy|a little sad]"},
    StoryRule{"glad", "[happy|very happy|glad|proud|full of joy|so happy]"},
    StoryRule{"cried", "[cried|shouted|called]"},

    // Sentences.
    StoryRule{"intro",
              "[Once upon a time, there was|Once there was|A long time ago, there was|"
              "In a small village, there lived|Near {place}, there lived|"
              "In a little house by {place}, there lived] a {small} {kind} named {hero}."},
    StoryRule{"day",
              "[One day|One {weather} [day|morning|afternoon]|One morning|"
              "On a {weather} [day|morning]]"},
    StoryRule{"weather", "[sunny|cold|windy|warm|bright|cloudy|foggy|fresh|quiet]"},
    StoryRule{"night", "[One night|One dark night|One evening|Late one evening]"},
    StoryRule{"thanks",
              "[\"Thank you, {friend},\" said {hero}. |"
              "\"Thank you so much,\" said {hero}. |{hero} thanked {friend}. |]"},
    StoryRule{"thanks_friend",
              "[\"Thank you, {hero},\" said {friend}. |"
              "\"You are so kind,\" said {friend}. |]"},
    StoryRule{"friends",
              "[From that day on, they were best friends.|"
              "After that, they [played|met|laughed] together every day.|"
              "They are still good friends today.|"
              "{hero} and {friend} were friends from then on.]"},
    StoryRule{"home",
              "[Then they went home together.|They walked home side by side.|"
              "They sang all the way home.|They talked about it all evening.]"},
};

inline constexpr std::array<std::string_view, 18> kStoryPlots = {
    // A lost toy.
    "{intro} {hero} had a {color} {toy} and [took it everywhere|played with it every day|"
    "loved it more than anything]. {day}, {hero} [woke up|came home|looked around] and the {toy} "
    "was gone. {he} looked [under the bed|behind the door|in the big box] and [under the table|"
    "behind the chair|next to the stove], but it was not there. [{hero} began to cry. |"
    "{hero} felt {sad}. |]["
    "\"What is wrong?\" asked {friend_the}. \"I lost my {toy},\" said {hero}. "
    "\"Do not [cry|worry]. I will help you,\" said {friend}. |"
    "\"Can you help me find my {toy}?\" asked {hero}. \"Of course,\" said {friend_the}. ]"
    "[Together they walked to {place}.|They went to {place} and looked behind every tree.|"
    "They looked all the way to {spot}.] [At last|Soon|After a long time], {friend} saw something "
    "{color} [under a bush|behind a rock|on a branch|in the tall grass|next to the path]. "
    "\"[Look|Here it is|I found it]!\" {cried} {friend}. {hero} [hugged {friend}|jumped up and "
    "down] and held the {toy} tight. {thanks}{home}",

    // Something in a tree.
    "{intro} {day}, {hero} was playing with a {color} {flyer} near {place}. [The wind blew hard|"
    "Then a strong wind came] and the {flyer} flew up into [a tall tree|an old oak|an apple tree]. "
    "{hero} jumped and jumped, but {he} could not reach it. [\"I am too small,\" said {hero}. |"
    "{hero} felt {sad}. |]{friend_the} [came by|heard the noise] and [stopped|looked up]. "
    "\"[Climb on my back|Stand on my back],\" said {friend}. \"[We can do it together|"
    "Two are taller than one].\" {hero} climbed up and [stretched|reached] as far as {he} could. "
    "[One more inch.|A little more.|Almost there.] Then {he} [caught|got|had] the {flyer}! "
    "\"We did it!\" {cried} {hero}. {thanks}[They laughed and danced under the tree. |"
    "They played with the {flyer} until the sun went down. |]"
    "[Two small friends can do a big thing.|{friends}]",

    // A storm.
    "{intro} {hero} was [a little|very] afraid of storms. {night}, the rain fell hard and the "
    "[thunder went boom|wind shook the door|wind howled around the house]. {hero} hid [under the "
    "blanket|behind the curtain|under the bed]. {elder} came in with [a small lamp|a cup of warm "
    "milk|a soft blanket]. \"[The storm is only loud|Thunder is just a big drum in the sky|"
    "The rain is giving the flowers a drink],\" said {elder}. \"[It cannot hurt us here|"
    "Let us count until it stops|Let us sing louder than the storm].\" So they [sang a song|"
    "told each other stories|counted slowly] [until the storm was over|until {hero} fell asleep]. "
    "In the morning, the sun was shining and there was a [rainbow over {place}|big puddle near the "
    "door]. {hero} [ran outside and laughed|smiled and jumped outside]. "
    "[{he} was not afraid any more.|The next storm did not seem so big.|"
    "\"Good morning, sun,\" said {hero}.]",

    // Sharing a meal.
    "{intro} {day}, {hero} had a [big|fresh|sweet|warm] {food} for lunch. {he} sat down near "
    "{place} to eat. Then {friend_the} came by and looked at the {food}. \"I am so hungry,\" said "
    "{friend}. [\"I have had nothing to eat today. My basket is empty.\" |]{hero} was hungry too, "
    "and the {food} [smelled so good|was not very big]. But {he} [thought for a moment and "
    "|looked at {friend} and |]gave {friend_him} half of it. [They sat in the sun and ate "
    "together. |They ate every bit of it. |]{thanks_friend}[The next day|A week later], {hero} had "
    "nothing to eat, and {friend} came with a [jar of honey|plate of cookies|big basket of food]. "
    "\"Now it is my turn,\" said {friend}. [Food tastes better when you share it.|"
    "A kind heart always comes back to you.|{friends}]",

    // Telling the truth.
    "{intro} {day}, {hero} was [running|dancing|playing with a ball] in the house. Crash! The "
    "{color} {dish} fell down and broke. It belonged to {elder}. [{hero} wanted to hide. |"
    "\"I could say that the wind did it,\" thought {hero}. |{hero} wanted to run away. |]But {he} "
    "felt [bad|heavy|cold] inside. So {he} went to {elder} and told the truth. \"I broke the "
    "{dish}. I am sorry,\" said {hero}. {elder} [was quiet for a moment|looked at the pieces|"
    "sat down]. \"[Thank you for telling me|I am glad that you told me],\" said {elder}. "
    "\"A {dish} is only a {dish}.\" Together they [swept the floor|picked up the pieces]"
    "[ and fixed the {dish} with glue|]. {hero} felt [light again|much better]. "
    "[It is hard to tell the truth, but it is good.|The truth made {him} {glad}.|"
    "After that, {he} only played ball outside.]",

    // A lost baby animal.
    "{intro} {day}, {hero} heard a [tiny|soft|sad] sound near {place}. It was a little {baby}, all "
    "alone. \"Where is your mother?\" asked {hero}. \"I do not know,\" said the {baby}. "
    "\"I followed a {bug} and now I am lost.\" {hero} [gave the {baby} some water|"
    "sat down next to the {baby}|dried the tears of the {baby}]. \"[We will find her|"
    "I will help you|Come with me],\" said {hero}. [They asked an old {guide}, but the {guide} had "
    "not seen her. |They looked under every bush, but she was not there. |]They walked and walked. "
    "Then they heard a [loud|soft|happy] call from {spot}. The {baby} ran to its mother as fast as "
    "it could. \"Thank you, {hero},\" said the mother. \"You [are very kind|have a good heart].\" "
    "{hero} [waved goodbye and went home|walked home with a smile|felt {glad} all day].",

    // A race.
    "{intro} {day}, there was a [big |]race to {spot}. {hero} and {friend_the} both wanted to win. "
    "[\"I am the fastest of all,\" said {friend}. |\"I will run like the wind,\" said {hero}. |]"
    "[One, two, three, go!|Ready, steady, go!] They ran [past {place}|through the mud|over the "
    "grass] side by side. Then {friend} [slipped|fell] and hurt {friend_his} leg. {hero} was in "
    "front and could already see {spot}. But {he} stopped and went back. \"Can you walk?\" asked "
    "{hero}. \"[Go on, you can still win|Run, you are almost there],\" said {friend}. "
    "\"[A friend is better than a prize|I do not want to win without you],\" said {hero}. They "
    "walked to the end together, [slowly|step by step], and everyone [clapped|cheered]. "
    "[They were last, but they were {glad}.|They shared the prize, a {food}.|{friends}]",

    // A seed.
    "{intro} {day}, {elder} gave {him} a [tiny|round|small black] seed. \"[Give it water and wait|"
    "It needs sun, water and time],\" said {elder}. {hero} put it in [a small pot|the garden|"
    "the soft ground] and gave it water every [day|morning]. On the first day, nothing happened. "
    "On the second day, nothing happened. [\"It is not working,\" said {hero}. \"Good things need "
    "time,\" said {elder}. |{hero} wanted to dig it up, but {he} waited. |]Then, [one morning|"
    "after a week], there was a tiny green leaf. \"[It is alive|It is growing|Look, a leaf]!\" "
    "{cried} {hero}. It grew and grew until it was a {flower}. [Even a {!bug} came to look. |"
    "Everyone came to see it. |]{hero} was {glad}. [{he} had learned to wait.|"
    "Next year, {he} will plant ten seeds.]",

    // Practice.
    "{intro} {hero} wanted to learn to {skill}. {day}, {he} tried, but it did not go well. [\"I "
    "will never learn it,\" said {hero}. |{hero} felt {sad} and sat down near {place}. |]"
    "{friend_the} [smiled|sat down next to {him}]. \"[Nobody can {skill} the first time|I could "
    "not do it at first either|It took me a whole year],\" said {friend}. \"Try a little "
    "every day.\" So {hero} tried again the next day, and the day after that. [Sometimes {he} was "
    "tired. |Sometimes {he} wanted to stop. |]{friend} always [came to help|stayed with {him}]. "
    "[On the tenth day|After two weeks|When spring came], {he} could {skill} all by {himself}! "
    "\"[You did it|Look at you|I knew it]!\" {cried} {friend}. {hero} was {glad}. "
    "[Now {he} helps others to learn.|If you do not give up, you can learn almost anything.]",

    // A shy neighbor.
    "{intro} {day}, a new family moved into the [yellow|little|old] house near {place}. They had a "
    "shy {friend_kind} named {friend}. {friend} did not [speak|play|laugh] with anyone. "
    "[{friend_he} only looked out of the window. |{friend_he} sat alone under a tree. |]{hero} "
    "wanted to be kind, so {he} brought {friend_him} a {food}. \"[Would you like to play|Do you "
    "want to come outside|Can I sit with you]?\" asked {hero}. {friend} looked at the ground. "
    "\"[I do not know any games|I am a little afraid],\" said {friend}. \"I will show you,\" said "
    "{hero}. They played [hide and seek|with a {color} {toy}|near {spot}], and soon {friend} "
    "began to laugh. \"[You are my first friend here|This is fun|Come back tomorrow],\" said "
    "{friend}. {friends}",

    // A birthday.
    "{intro} {day}, it was {his} birthday. But nobody said a word about it. {hero} asked "
    "{friend_the} to play, but {friend} [ran away|only smiled|had no time]. {he} walked to {place} "
    "alone and felt {sad}. [\"They all forgot me,\" thought {hero}. |{he} threw stones into the "
    "water. |]When {he} came home, the house was dark. {hero} opened the door. \"Surprise!\" "
    "shouted everyone. There was a [big|round|tall] cake with [honey|berries|candles|cream], and "
    "{friend} gave {him} a {color} {toy}. \"[We did not forget you|I had to keep it secret],\" "
    "said {friend}. {hero} [laughed|smiled] and was {glad}. [They ate and sang until late at "
    "night.|It was the best birthday of all.|Then they danced around the table.]",

    // Lost in the woods.
    "{intro} {day}, {hero} followed a {bug} deep into the woods. When {he} looked up, {he} did not "
    "know the way home. The sun went down and the trees looked [big and dark|very tall]. \"Hello, "
    "is anyone there?\" called {hero}. [An old|A wise old] {guide} looked out from behind a tree. "
    "\"[Are you lost|Do you need help]?\" asked the {guide}. \"Yes, I want to go home,\" "
    "said {hero}. \"Follow the {trail}. It knows the way,\" said the {guide}. {hero} walked and "
    "walked along the {trail}. [The moon came out to help {him}. |{he} sang a song to be brave. |]"
    "At last {he} saw a light in the window. {elder} ran out and hugged {him}. \"[I was so worried|"
    "There you are],\" said {elder}. [The next day, {hero} brought the {guide} a {food}.|"
    "After that, {he} always looked where {he} was going.]",

    // A monster on the wall.
    "{intro} {hero} did not like the dark. {night}, {he} saw a [big|strange|black] shape on the "
    "wall. It had [two ears|long arms|a round head]. \"There is a monster in my room!\" {cried} "
    "{hero}. {elder} came and [turned on the lamp|lit a candle]. It was only [a coat on a chair|"
    "a hat on a hook|the shadow of a tree|an umbrella on a nail]. [They both laughed. |\"Hello, "
    "monster,\" said {elder}. |]Then {elder} opened the window and showed {him} the [stars|moon]. "
    "\"[The night has its own lights|The dark is only the day asleep],\" said {elder}. {hero} "
    "looked for a long time. [{he} counted the stars and fell asleep.|Soon {he} was asleep.|"
    "Now {he} says good night to the dark.]",

    // A basket too full.
    "{intro} {day}, {hero} and {friend_the} went to {place} to pick {fruit}. {hero} filled a "
    "basket "
    "to the top. \"That is enough,\" said {friend}. \"I want more,\" said {hero}. {he} put more "
    "and "
    "more {fruit} in, until the basket was very heavy. Crack! The basket broke and the {fruit} "
    "rolled [down the hill|into the river|all over the path]. {hero} felt {sad}. [\"Now I have "
    "nothing,\" said {hero}. |\"What have I done?\" asked {hero}. |]\"[We can share mine|"
    "Let us pick up what we can],\" said {friend}. They [worked until evening|carried the rest "
    "home] and made a [pie|cake|pot of soup]. \"Next time, I will only take what I need,\" said "
    "{hero}. [Sharing made it taste even better.|{friend} smiled.|{home}]",

    // A bridge.
    "{intro} After a [big|long|bad] storm, the bridge over the river was broken. {hero} could not "
    "visit {friend_the} on the other side. [They could only wave to each other. |{hero} felt "
    "{sad}. "
    "|]\"Let us build a new one!\" {cried} {friend}. {hero} brought [wood|planks|logs], and "
    "{friend} brought [ropes|nails|stones]. They worked [all day|until evening|for three days]. "
    "[Sometimes a piece fell into the water, and they began again. |It was hard work, but they "
    "sang. |]At last the bridge was done. It was not pretty, but it was strong. They met in the "
    "middle and [danced|hugged|ate a {food}]. \"[This is our bridge|Now I can visit you every "
    "day],\" said {hero}. [Everyone in the village used it.|{friends}]",

    // Snow.
    "{intro} One morning, {hero} woke up and everything was white. \"Snow!\" {cried} {hero}. {he} "
    "put on [a warm scarf|a thick coat] and ran outside. {friend_the} was already there. They made "
    "a big {snow_animal} with [a carrot nose|two button eyes|a leaf for a mouth|an old hat]. "
    "[They threw snowballs until their ears were cold. |They slid down the hill again and again. |]"
    "Then they went inside and drank hot [soup|milk|tea] by the fire. [The next day|A week later], "
    "the sun came out and the {snow_animal} began to melt. {hero} felt {sad}. \"[It will come back "
    "next winter|Snow always goes and comes again],\" said {elder}. [{hero} kept the carrot and "
    "waited.|\"Then I will see you next year,\" said {hero}.|And the next winter, they made two.]",

    // A quarrel.
    "{intro} {hero} and {friend_the} found a {color} {toy} near {place}. \"It is mine!\" {cried} "
    "{hero}. \"No, I saw it first!\" {cried} {friend}. They pulled and pulled. [Snap! The {toy} "
    "broke in two.|Then it fell into the water.] [They were both very quiet.|Nobody said a word.] "
    "{hero} went home and felt {sad}. [{he} did not want to eat. |The house was too quiet. |]The "
    "next day, {he} went to see {friend}. \"I am sorry,\" said {hero}. \"I am sorry too,\" said "
    "{friend}. \"[I would rather have you than a {toy}|A {toy} is no fun alone].\" Together they "
    "made a new {toy}. It was [a bit crooked|not very pretty], but it belonged to both of them. "
    "{friends}",

    // An invention.
    "{intro} {hero} liked to build things. {day}, {he} made a machine from [an old box|a broken "
    "clock|two wheels and a rope]. \"What does it do?\" asked {friend_the}. \"It [picks {fruit}|"
    "makes bubbles|washes plates|brings the mail],\" said {hero}. They pushed the {color} button. "
    "[Bang!|Puff!|Pop!] The machine [jumped|turned around|shook] and [fell over|began to smoke]. "
    "[Everyone laughed. |\"Oh no,\" said {friend}. |]{hero} was {sad} for a moment. Then {he} "
    "looked inside. \"[A wheel was too small|One screw was loose|I forgot the rope],\" said "
    "{hero}. {friend} held the lamp while {hero} fixed it. They pushed the button again, and this "
    "time it worked! [\"You never gave up,\" said {friend}.|A mistake can be a good teacher.|"
    "{thanks}They worked on it until night.]",
};

}  // namespace weft
